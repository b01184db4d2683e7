//! Clocks that are wrong, and machines that sleep.
//!
//! That it is the network's clock which is moved and not the machine's makes no difference to the program: what it sees
//! is how far they are apart. `scripts/wrong-clocks` moves the machine's.

#[cfg(unix)]
use std::io::{BufRead, BufReader};
#[cfg(unix)]
use std::process::Command;

use serde_json::Value;

use crate::conversation::contacts;
use crate::harness::Network;

/// A test with all its commands takes less than this, in ms.
const DURING_THE_TEST: i64 = 15 * 60 * 1000;
const HOUR: i64 = 3_600_000;

/// All messages are of now by the network's clock, each not before the one above, and none ends too early.
fn sound(network: &Network, messages: &[Value]) {
    let mut before = 0;
    for message in messages {
        let age = network.since(&message["timestamp"]);
        assert!((-5_000..DURING_THE_TEST).contains(&age), "{age} ms old: {message}");
        assert!(message["timestamp"].as_i64().unwrap() >= before, "{before}: {message} in {messages:#?}");
        before = message["timestamp"].as_i64().unwrap();
        if !message["expires_at"].is_null() {
            let left = -network.since(&message["expires_at"]);
            assert!((HOUR - DURING_THE_TEST..=HOUR + 5_000).contains(&left), "{left} ms left: {message}");
        }
    }
}

fn talk(network: &Network) {
    let (alice, bob) = contacts(network);
    alice.ok(&["set-expiry", &bob.id, "after-send:3600"]);
    bob.ok(&["set-expiry", &alice.id, "after-read:3600"]);
    for n in 0..3 {
        alice.send(&bob.id, &format!("alice {n}"));
        bob.receive();
        bob.ok(&["mark-read", &alice.id]);
        bob.send(&alice.id, &format!("bob {n}"));
        alice.receive();
        alice.ok(&["mark-read", &bob.id]);
    }
    let expected = ["Hello Bob", "alice 0", "bob 0", "alice 1", "bob 1", "alice 2", "bob 2"];
    for (person, other) in [(&alice, &bob), (&bob, &alice)] {
        person.receive();
        let messages = person.messages(&other.id);
        sound(network, &messages);
        let mut texts = person.texts(&other.id);
        texts.retain(|text| !text.is_empty());
        assert_eq!(texts, expected);
        let timed =
            messages.iter().filter(|message| message["text"] != "" && !message["expires_at"].is_null());
        assert_eq!(timed.count(), 6, "{messages:?}");
    }
}

#[test]
fn a_machine_a_year_behind_talks_as_usual() {
    talk(&Network::with_clock_offset(365 * 86_400));
}

#[test]
fn a_machine_eight_hours_ahead_talks_as_usual() {
    talk(&Network::with_clock_offset(-8 * 3600));
}

#[test]
fn a_machine_ten_years_ahead_talks_as_usual() {
    talk(&Network::with_clock_offset(-3650 * 86_400));
}

#[test]
fn what_is_written_before_any_clock_is_known_goes_out_dated_right() {
    let mut network = Network::with_clock_offset(-3650 * 86_400);
    let bob = network.person("Bob");
    network.stop();
    let alice = network.person("Alice");
    for text in ["first", "second"] {
        let ended = alice.run(&["send", &bob.id, "--text", text, "--timeout", "0"]);
        assert_eq!(ended.error(), "offline", "{}", ended.stderr);
    }
    assert_eq!(alice.texts(&bob.id), ["first", "second"]);
    network.start_again();
    alice.receive();
    bob.receive();
    for (person, other) in [(&alice, &bob), (&bob, &alice)] {
        assert_eq!(person.texts(&other.id), ["first", "second"]);
        sound(&network, &person.messages(&other.id));
    }
    assert!(alice.messages(&bob.id).iter().all(|message| message["state"] == "sent"));
}

#[cfg(unix)]
fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([name, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn a_stopped_program_goes_on_where_it_was() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let mut following = alice.command(&["-v", "receive", "--follow"]).spawn().unwrap();
    let mut events = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = |text: &str| loop {
        let event: Value = serde_json::from_str(&events.next().expect("still running").unwrap()).unwrap();
        if event["event"] == "message" && event["text"] == text {
            return;
        }
    };
    bob.send(&alice.id, "before");
    next("before");
    signal("-STOP", following.id());
    bob.send(&alice.id, "meanwhile");
    // Longer than a busy machine holds up a timer.
    std::thread::sleep(std::time::Duration::from_secs(9));
    signal("-CONT", following.id());
    next("meanwhile");
    bob.send(&alice.id, "after");
    next("after");
    signal("-INT", following.id());
    let ended = following.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && log.contains("the machine has slept"), "{log}");
    assert!(!log.contains("guard given up"), "{log}");
}
