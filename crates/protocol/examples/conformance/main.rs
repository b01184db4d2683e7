//! A program that answers questions about the protocol, one JSON object per line, so that recorded values of other
//! implementations can be replayed against this one.
//!
//! Question: `{"op": NAME, …inputs}`, with `random_draws` if the operation draws randomness. Answer:
//! `{"ok": true, "result": {…}}` or `{"ok": false, "error": "text"}`. Bytes are lower-case hexadecimal.

mod answer;

use std::io::{self, BufRead, Write};

use serde_json::json;

use answer::{Program, Question};

fn main() -> io::Result<()> {
    let mut program = Program::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(fields) => program.answer(&Question::new(fields)),
            Err(error) => Err(error.into()),
        };
        let answer = match answer {
            Ok(result) => json!({"ok": true, "result": result}),
            Err(error) => json!({"ok": false, "error": error.to_string()}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
