//! What must hold for every line, whatever is in it; for the tests and for the fuzzer, which includes this file.

#![allow(clippy::panic)] // it is a test

use serde_json::{Map, Value};

use super::wire::{self, Answer, Asked, Request};

/// Answers each request of a line with `result`, and checks what is answered.
pub fn line(line: &[u8], result: &str) {
    fn answered(asked: Result<Request, Answer>, result: &str) -> Option<Answer> {
        match asked {
            Ok(Request { id: None, .. }) => None,
            Ok(Request { id: Some(id), method, .. }) if method.len() % 2 == 0 => {
                Some(wire::done(&id, result))
            }
            Ok(Request { id, method, .. }) => {
                Some(wire::wrong(id.as_deref(), wire::METHOD_NOT_FOUND, "usage", &method))
            }
            Err(answer) => Some(answer),
        }
    }
    let answer = match wire::read(line) {
        Err(answer) => Some(answer),
        Ok(Asked::One(one)) => answered(one, result),
        Ok(Asked::Batch(some)) => {
            wire::together(some.into_iter().filter_map(|asked| answered(asked, result)).collect())
        }
    };
    let Some(Answer(text)) = answer else { return };
    assert!(!text.contains(|c: char| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')));
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let asked: Option<Value> = serde_json::from_slice(line).ok();
    let single = asked.as_ref().map(Value::is_array).is_none_or(|is_batch| !is_batch);
    let answers = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    assert!(!answers.is_empty() && (!single || value.is_object()));
    for answer in answers {
        assert_eq!(answer["jsonrpc"], "2.0");
        let fields = answer.as_object().map(Map::len);
        assert_eq!(fields, Some(3), "{answer}");
        assert!(
            answer.get("id").is_some() && (answer.get("result").is_some() != answer.get("error").is_some())
        );
    }
}
