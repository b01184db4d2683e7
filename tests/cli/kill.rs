//! `kill -9` at any moment of sending, receiving and changing what devices share: nothing is lost, nothing doubled.

use std::time::{Duration, Instant};

use crate::conversation::contacts;
use crate::harness::{Network, Person};

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

/// Deletes what one wrote for everyone, if it is here, and kills that after `moment`. Whether it is gone here.
fn delete_and_kill(person: &Person, with: &str, text: &str, moment: Duration) -> bool {
    let messages = person.messages(with);
    let Some(message) = messages.iter().find(|message| message["text"] == text) else { return true };
    let number = message["message_id"].to_string();
    run_and_kill(person.command(&["delete", with, &number, "--for-everyone"]), moment);
    !person.texts(with).contains(&text.to_string())
}

#[test]
fn what_is_deleted_while_it_is_sent_and_killed_is_gone_everywhere_or_nowhere() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let laptop = network.nobody("laptop");
    laptop.ok_with_input(&["account", "restore"], &alice.phrase);
    let mut stays = Vec::new();
    let moment = |round: usize, step: u64| Duration::from_millis((round as u64 * step) % 400 + 2);
    for round in 0..rounds() {
        let text = format!("round {round}");
        run_and_kill(alice.command(&["send", &bob.id, "--text", &text]), moment(round, 37));
        let written = alice.texts(&bob.id).contains(&text);
        let deleted = round % 3 < 2 && delete_and_kill(&alice, &bob.id, &text, moment(round, 61));
        if written && !deleted {
            stays.push(text);
        }
        run_and_kill(bob.command(&["receive"]), moment(round, 53));
        run_and_kill(laptop.command(&["receive"]), moment(round, 29));
    }
    // Runs without kill send what is left and fetch what is there.
    for person in [&alice, &bob, &laptop, &alice, &bob, &laptop] {
        person.receive();
    }
    for (who, texts) in [
        ("sender", alice.texts(&bob.id)),
        ("other device", laptop.texts(&bob.id)),
        ("receiver", bob.texts(&alice.id)),
    ] {
        let got: Vec<_> = texts.into_iter().filter(|text| text.starts_with("round")).collect();
        assert_eq!(got, stays, "{who}");
    }
}

/// What a profile shows of its name and of Bob.
fn shown(person: &Person, bob: &str) -> (String, String, bool) {
    let contacts = person.ok(&["contacts"]);
    let nickname = contacts.as_array().unwrap().iter().find(|row| row["account_id"] == bob).unwrap();
    let conversations = person.ok(&["conversations"]);
    let row = conversations.as_array().unwrap().iter().find(|row| row["conversation"] == bob).unwrap();
    let name = person.ok(&["account", "show"])["name"].as_str().unwrap().to_string();
    let nickname = nickname["nickname"].as_str().unwrap_or_default().to_string();
    (name, nickname, row["pinned"] == true)
}

#[test]
fn a_change_that_is_killed_at_any_moment_is_made_everywhere_or_nowhere() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let laptop = network.nobody("laptop");
    laptop.ok_with_input(&["account", "restore"], &alice.phrase);
    let mut expected = shown(&alice, &bob.id);
    for round in 0..rounds() {
        let moment = Duration::from_millis((round as u64 * 29) % 300 + 2);
        let text = format!("round {round}");
        let pinned = !expected.2;
        let (command, changed) = match round % 3 {
            0 => (vec!["nickname", &bob.id, &text], (expected.0.clone(), text.clone(), expected.2)),
            1 if pinned => (vec!["pin", &bob.id], (expected.0.clone(), expected.1.clone(), true)),
            1 => (vec!["pin", &bob.id, "--off"], (expected.0.clone(), expected.1.clone(), false)),
            _ => (vec!["account", "set", "--name", &text], (text.clone(), expected.1.clone(), expected.2)),
        };
        let acknowledged = run_and_kill(alice.command(&command), moment);
        let seen = shown(&alice, &bob.id);
        if acknowledged || seen != expected {
            expected = changed;
        }
        assert_eq!(seen, expected, "round {round}: all of a change or nothing");
        run_and_kill(laptop.command(&["receive"]), Duration::from_millis((round as u64 * 53) % 300 + 2));
        if round % 4 == 3 {
            // A run without kill pushes what is left; then the other profile has it.
            alice.receive();
            laptop.receive();
            assert_eq!(shown(&laptop, &bob.id), expected, "round {round}");
        }
    }
    alice.receive();
    laptop.receive();
    assert_eq!(shown(&laptop, &bob.id), expected);
    assert_eq!(shown(&alice, &bob.id), expected);
}
