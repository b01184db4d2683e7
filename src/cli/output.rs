//! What is printed: text for people, or JSON for programs, and nothing else on stdout.
//!
//! Decision: a command prints its result once and last, when what it promises is done; a command that fails prints
//! nothing but its failure. So a run has one JSON object on stdout, whatever happens (`receive` and `devnet` apart, whose
//! lines are events).

use std::io::Write;

use serde::Serialize;

use super::{Failure, json};

/// Where results go.
pub struct Output {
    json: bool,
}

/// What programs read of a failure.
#[derive(Serialize)]
struct Failed<'a> {
    error: Reason<'a>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
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
        let line = if self.json { json::line(value) } else { text() };
        print_line(&line);
    }

    /// Prints what is the same for people and programs.
    pub fn text(&self, text: &str) {
        print_line(text);
    }

    /// Says why a command failed: a line on stderr, and for programs an object on stdout.
    pub fn failure(&self, failure: &Failure) {
        let message = failure.message();
        if self.json {
            print_line(&json::line(&Failed { error: Reason { code: failure.code(), message: &message } }));
        }
        eprintln!("septet: {message}");
    }
}

/// A reader that went away (`| head`) is no failure.
fn print_line(line: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
