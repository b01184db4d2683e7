//! `kill -9` at any moment of sending and receiving: nothing is lost, nothing doubled.

use std::time::{Duration, Instant};

use crate::conversation::contacts;
use crate::harness::Network;

/// How often to kill; the environment may ask for more.
fn rounds() -> usize {
    std::env::var("SEPTET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// Runs a command and kills it after `after`, if it still runs. Whether it ended by itself, and well.
fn run_and_kill(mut command: std::process::Command, after: Duration) -> bool {
    let mut process = command.spawn().unwrap();
    let deadline = Instant::now() + after;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().unwrap() {
            return status.success();
        }
        std::thread::yield_now();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    false
}

#[test]
fn killed_at_random_moments_nothing_is_lost_or_doubled() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let mut written = Vec::new();
    for round in 0..rounds() {
        // Spread the moments over everything a short run does; primes keep them from falling into step.
        let moment = Duration::from_millis((round as u64 * 37) % 400 + 2);
        let text = format!("round {round}");
        if run_and_kill(alice.command(&["send", &bob.id, "--text", &text]), moment) {
            written.push(text);
        } else if alice.texts(&bob.id).contains(&text) {
            // Written down before the kill: from now on it must not get lost.
            written.push(text);
        }
        run_and_kill(bob.command(&["receive"]), Duration::from_millis((round as u64 * 53) % 400 + 2));
    }
    // A run without kill sends what is left and fetches what is there.
    alice.send(&bob.id, "the end");
    written.push("the end".into());
    bob.receive();
    for (who, texts) in [("sender", alice.texts(&bob.id)), ("receiver", bob.texts(&alice.id))] {
        let got: Vec<_> =
            texts.into_iter().filter(|text| text.starts_with("round") || text == "the end").collect();
        assert_eq!(got, written, "{who}");
    }
}
