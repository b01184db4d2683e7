//! Every recorded call of the official core, asked again of this implementation.

use serde_json::{Value, json};

use crate::answer::{Program, Question};
use crate::load;

/// Replays the cases of one file; the fields of the recorded output have to come out equal.
fn replay(file: &str) {
    let recorded = load(file);
    let mut program = Program::default();
    for case in recorded["cases"].as_array().unwrap() {
        let name = format!("{file}: {} / {}", case["function"], case["name"]);
        let mut fields = case["input"].clone();
        fields["op"] = case["function"].clone();
        if case["random_draws"].is_array() {
            fields["random_draws"] = case["random_draws"].clone();
        }
        let answer = program.answer(&Question::new(fields));
        if case["error"] == json!(true) {
            assert!(answer.is_err(), "{name} has to be refused");
            continue;
        }
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (field, wanted) in case["output"].as_object().unwrap() {
            // Layers are told for reading along; no operation gives them.
            if field != "layers" {
                assert_eq!(answer.get(field).unwrap_or(&Value::Null), wanted, "{name}: {field}");
            }
        }
    }
}

#[test]
fn messages() {
    replay("core-messages");
}

#[test]
fn signatures_and_hashes() {
    replay("core-xed25519");
}

#[test]
fn onion_requests() {
    replay("core-onion");
}

#[test]
fn names() {
    replay("core-ons");
}
