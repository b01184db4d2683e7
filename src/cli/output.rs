//! What is printed: text for people, or JSON for programs, and nothing else on stdout.

use std::io::Write;

use serde::Serialize;

use super::Failure;

/// Where results go.
pub struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON if `json`, else text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one result: `value` as JSON, or `text`.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json { json(value) } else { text() };
        print_line(&line);
    }

    /// Prints that it is done, for commands with nothing to tell.
    pub fn done(&self) {
        if self.json {
            print_line(r#"{"ok":true}"#);
        }
    }

    /// Tells something on stderr that a person should know; the command goes on.
    pub fn warning(&self, text: &str) {
        eprintln!("septet: {text}");
    }

    /// Says why a command failed: a line on stderr, and for programs an object on stdout.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            let error = serde_json::json!({"error": {"code": failure.code(), "message": failure.message()}});
            print_line(&error.to_string());
        }
        eprintln!("septet: {}", failure.message());
    }
}

fn json(value: &impl Serialize) -> String {
    // Our own shapes always have a JSON form; an empty object is the honest rest.
    serde_json::to_string(value).unwrap_or_else(|_| "{}".into())
}

/// A reader that went away (`| head`) is no failure.
fn print_line(line: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
