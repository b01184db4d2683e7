//! JSON-RPC 2.0 as it is written: what a line asks for, and what is answered. No I/O.
//!
//! Decision: whatever a line holds, it is answered as the standard says and the next one is read. A line is a request,
//! a notification (no `id`: never answered, also not with an error) or a batch of them. Parameters go by name.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::json;

/// So many requests may be in a batch.
pub const LARGEST_BATCH: usize = 64;

/// No JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON, and no request.
pub const INVALID_REQUEST: i32 = -32600;
/// There is no such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters are not those of the method.
pub const INVALID_PARAMS: i32 = -32602;
/// It failed; the exit code of the same command is added with its sign turned: -32001, -32003, -32004.
pub const FAILED: i32 = -32000;
/// It was cancelled by `$/cancel`.
pub const CANCELLED: i32 = -32800;

/// What a line asks for.
#[derive(Debug)]
pub enum Asked {
    /// One request, or what is wrong with it.
    One(Result<Request, Answer>),
    /// Several, answered together.
    Batch(Vec<Result<Request, Answer>>),
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// What its answer is found by, as JSON; `None`: nobody waits for an answer.
    pub id: Option<String>,
    /// Which method.
    pub method: String,
    /// Its parameters.
    pub params: Map<String, Value>,
}

/// The answer to a request, as JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer(pub String);

/// What went wrong.
#[derive(Serialize, Debug)]
pub struct Wrong<'a> {
    /// A number of the standard, or one of ours.
    pub code: i32,
    /// A sentence.
    pub message: &'a str,
    /// The stable word for it.
    pub data: Word<'a>,
}

/// A stable word, the same as the command line prints.
#[derive(Serialize, Debug)]
pub struct Word<'a> {
    /// The word.
    pub code: &'a str,
}

/// Reads a line.
///
/// # Errors
/// The answer to a line that is no JSON, an empty batch or one that is too large.
pub fn read(line: &[u8]) -> Result<Asked, Answer> {
    let Ok(value) = serde_json::from_slice(line) else {
        return Err(wrong(None, PARSE_ERROR, "parse_error", "This line is no JSON in UTF-8."));
    };
    match value {
        Value::Array(some) if some.is_empty() => Err(invalid(None, "A batch has at least one request.")),
        Value::Array(some) if some.len() > LARGEST_BATCH => {
            Err(invalid(None, &format!("A batch has at most {LARGEST_BATCH} requests.")))
        }
        Value::Array(some) => Ok(Asked::Batch(some.into_iter().map(request).collect())),
        one => Ok(Asked::One(request(one))),
    }
}

/// Reads one request.
fn request(value: Value) -> Result<Request, Answer> {
    let Value::Object(mut fields) = value else {
        return Err(invalid(None, "A request is an object."));
    };
    let id = match fields.remove("id") {
        None => None,
        Some(id @ (Value::String(_) | Value::Number(_) | Value::Null)) => Some(json::line(&id)),
        Some(_) => return Err(invalid(None, "An id is a text, a number or null.")),
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(id.as_deref(), "A request says \"jsonrpc\":\"2.0\"."));
    }
    let Some(Value::String(method)) = fields.remove("method") else {
        return Err(invalid(id.as_deref(), "A request names its method."));
    };
    let params = match fields.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(Value::Array(params)) if params.is_empty() => Map::new(),
        Some(Value::Array(_)) => {
            return Err(wrong(id.as_deref(), INVALID_PARAMS, "usage", "Parameters are given by name."));
        }
        Some(_) => return Err(invalid(id.as_deref(), "Parameters are an object.")),
    };
    Ok(Request { id, method, params })
}

/// The answer to a line that was too long to be read.
pub fn too_long(limit: usize) -> Answer {
    let text = format!("A line has at most {limit} bytes. Give large files by their path.");
    wrong(None, INVALID_REQUEST, "too_long", &text)
}

fn invalid(id: Option<&str>, message: &str) -> Answer {
    wrong(id, INVALID_REQUEST, "invalid_request", message)
}

/// The answer to a request that failed; `id` is JSON.
pub fn wrong(id: Option<&str>, code: i32, word: &str, message: &str) -> Answer {
    let error = json::line(&Wrong { code, message, data: Word { code: word } });
    Answer(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}", id.unwrap_or("null")))
}

/// The answer to a request that was done; `id` and `result` are JSON.
pub fn done(id: &str, result: &str) -> Answer {
    Answer(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"))
}

/// The line that answers a batch; `None` if nothing in it is to be answered.
pub fn together(answers: Vec<Answer>) -> Option<Answer> {
    let all: Vec<String> = answers.into_iter().map(|answer| answer.0).collect();
    (!all.is_empty()).then(|| Answer(format!("[{}]", all.join(","))))
}

/// A line that tells of an event; `params` is JSON.
pub fn event(params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{params}}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Code and id of the answer to a line that is wrong.
    fn refused(line: &str) -> (i64, Value) {
        let answer = match read(line.as_bytes()) {
            Err(answer) | Ok(Asked::One(Err(answer))) => answer,
            other => panic!("{line}: {other:?}"),
        };
        let answer: Value = serde_json::from_str(&answer.0).unwrap();
        (answer["error"]["code"].as_i64().unwrap(), answer["id"].clone())
    }

    #[test]
    fn what_is_wrong_is_answered_as_the_standard_says() {
        for line in ["", "{", "nul", "{\"jsonrpc\":\"2.0\"}x", "[1", "\"\u{1}\""] {
            assert_eq!(refused(line), (-32700, Value::Null), "{line}");
        }
        assert_eq!(refused("[]"), (-32600, Value::Null));
        assert_eq!(refused("1"), (-32600, Value::Null));
        assert_eq!(refused(r#"{"id":7,"method":"a"}"#), (-32600, 7.into()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":"x","method":1}"#), (-32600, "x".into()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":[],"method":"a"}"#), (-32600, Value::Null));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":2}"#), (-32600, 1.into()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[2]}"#), (-32602, 1.into()));
        assert_eq!(refused(&format!("[{}1]", "1,".repeat(LARGEST_BATCH))), (-32600, Value::Null));
        let Err(answer) = read(b"\xff\xfe") else { panic!() };
        assert!(answer.0.contains("-32700"));
        assert!(serde_json::from_str::<Value>(&too_long(5).0).is_ok());
    }

    #[test]
    fn requests_and_batches_are_read() {
        let Ok(Asked::One(Ok(one))) =
            read(r#" {"jsonrpc":"2.0","method":"send","params":{"to":"self"},"id":"a\u2028"} "#.as_bytes())
        else {
            panic!()
        };
        assert_eq!((one.id.as_deref(), one.method.as_str()), (Some("\"a\\u2028\""), "send"));
        assert_eq!(one.params["to"], "self");
        let Ok(Asked::Batch(some)) = read(br#"[1,{"jsonrpc":"2.0","method":"a"}]"#) else { panic!() };
        assert!(some[0].is_err());
        assert_eq!(some[1].as_ref().unwrap().id, None);
        assert_eq!(together(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn every_line_has_a_sound_answer(
            line in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..60),
                "[\\[\\]{}\":,0-9a-e\\\\. \u{2028}]{0,60}".prop_map(String::into_bytes),
                (prop::collection::vec((any::<bool>(), "[\"\\PC]{0,9}", 0..5u8), 1..4), any::<bool>())
                    .prop_map(|(requests, batch)| sensible(&requests, batch)),
            ],
        ) {
            super::super::check::line(&line, "{\"ok\":true}");
        }
    }

    /// Lines that are nearly right.
    fn sensible(requests: &[(bool, String, u8)], batch: bool) -> Vec<u8> {
        let one = |(notification, text, kind): &(bool, String, u8)| {
            let mut value = serde_json::json!({"jsonrpc": "2.0", "method": text, "params": {"x": text}});
            if !notification {
                value["id"] = match kind {
                    0 => 1.5.into(),
                    1 => Value::Null,
                    2 => Value::Array(Vec::new()),
                    3 => u64::MAX.into(),
                    _ => text.clone().into(),
                };
            }
            value
        };
        let all: Vec<Value> = requests.iter().map(one).collect();
        let value = if batch { Value::Array(all) } else { all[0].clone() };
        value.to_string().into_bytes()
    }
}
