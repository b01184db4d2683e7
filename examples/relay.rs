//! A relay: reads what a webhook would bring, one JSON object a line with `to` and `text`, and sends it through a child
//! `septet rpc`. Everything after `--` goes to septet:
//!
//! ```sh
//! tail -f events.jsonl | cargo run --example relay -- septet --profile relay
//! ```
//!
//! A line may have a `key`: lines with the same key are sent once, however often they come. What became of each line is
//! printed, by its number.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// So many lines are on their way at a time.
const MOST: usize = 16;

/// A line that comes in.
#[derive(Deserialize)]
struct Line {
    to: String,
    text: String,
    key: Option<String>,
}

/// A request to `septet rpc`.
#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'a str,
    id: usize,
    method: &'a str,
    params: Send<'a>,
}

#[derive(Serialize)]
struct Send<'a> {
    to: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
}

/// What it answers.
#[derive(Deserialize)]
struct Answer {
    id: usize,
    error: Option<Wrong>,
}

#[derive(Deserialize)]
struct Wrong {
    message: String,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else { bail!("which program? relay septet --profile DIR") };
    let mut septet = Command::new(program)
        .args(arguments)
        .arg("rpc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("septet does not start")?;
    let failed = relay(&mut septet)?;
    // The end of its input is what ends it.
    drop(septet.stdin.take());
    septet.wait()?;
    if failed > 0 {
        bail!("{failed} lines were not sent");
    }
    Ok(())
}

/// Sends all lines; how many failed.
fn relay(septet: &mut Child) -> Result<usize> {
    let mut input = septet.stdin.take().context("septet has no stdin")?;
    let mut output = BufReader::new(septet.stdout.take().context("septet has no stdout")?);
    let mut waiting = BTreeMap::new();
    let mut failed = 0;
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line: Line = match serde_json::from_str(&line?) {
            Ok(line) => line,
            Err(error) => {
                println!("{number}: {error}");
                failed += 1;
                continue;
            }
        };
        let params = Send { to: &line.to, text: &line.text, idempotency_key: line.key.as_deref() };
        let request = Request { jsonrpc: "2.0", id: number, method: "send", params };
        writeln!(input, "{}", serde_json::to_string(&request)?)?;
        waiting.insert(number, line.to);
        if waiting.len() >= MOST {
            failed += usize::from(!answered(&mut output, &mut waiting)?);
        }
    }
    while !waiting.is_empty() {
        failed += usize::from(!answered(&mut output, &mut waiting)?);
    }
    Ok(failed)
}

/// Reads an answer and prints it; false if its line was not sent.
fn answered(from: &mut BufReader<ChildStdout>, waiting: &mut BTreeMap<usize, String>) -> Result<bool> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("septet has ended");
    }
    let value: Value = serde_json::from_str(&line)?;
    let Answer { id, error } = serde_json::from_value(value).context("septet answers something else")?;
    let to = waiting.remove(&id).unwrap_or_default();
    match &error {
        None => println!("{id}: sent to {to}"),
        Some(error) => println!("{id}: {}", error.message),
    }
    Ok(error.is_none())
}
