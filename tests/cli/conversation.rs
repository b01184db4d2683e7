//! Two people talk; a new device of one of them catches up.

use crate::harness::{Network, Person};

/// Two people who accepted each other.
pub fn contacts(network: &Network) -> (Person, Person) {
    let (alice, bob) = (network.person("Alice"), network.person("Bob"));
    alice.send(&bob.id, "Hello Bob");
    bob.receive();
    bob.ok(&["accept", &alice.id]);
    alice.receive();
    (alice, bob)
}

/// Texts of every kind and length up to the limit.
fn texts(who: &str, count: usize) -> Vec<String> {
    let kinds = [
        "plain",
        "emoji 👩‍👩‍👧‍👦🏳️‍🌈 1️⃣",
        "مرحبا، كيف الحال؟",
        "line one\nline two\n\nline four",
        "健太 नमस्ते ไทย",
        "tab\tand \u{200f}marks\u{202e}",
    ];
    (0..count)
        .map(|n| {
            let head = format!("{who} {n} {}", kinds[n % kinds.len()]);
            // Every tenth is exactly 2,000 characters long.
            let missing = if n % 10 == 9 { 2000 - head.chars().count() } else { 0 };
            head + &"é".repeat(missing)
        })
        .collect()
}

#[test]
fn two_hundred_texts_arrive_once_and_in_order_and_a_third_device_has_them_all() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let (from_alice, from_bob) = (texts("alice", 100), texts("bob", 100));
    std::thread::scope(|scope| {
        scope.spawn(|| from_alice.iter().for_each(|text| alice.send(&bob.id, text)));
        scope.spawn(|| from_bob.iter().for_each(|text| bob.send(&alice.id, text)));
    });
    alice.receive();
    bob.receive();
    let third = network.nobody("third");
    let restored = third.ok_with_input(&["account", "restore"], &alice.phrase);
    assert_eq!(restored["account_id"], alice.id.as_str());
    assert_eq!(restored["name"], "Alice");
    third.receive();

    for (who, person, other) in
        [("alice", &alice, &bob.id), ("bob", &bob, &alice.id), ("third", &third, &bob.id)]
    {
        let messages = person.messages(other);
        for (author, expected) in [(&alice.id, &from_alice), (&bob.id, &from_bob)] {
            let first = expected[0].split(' ').next().unwrap();
            let got: Vec<_> = messages
                .iter()
                .filter(|message| message["from"] == author.as_str())
                .map(|message| message["text"].as_str().unwrap())
                .filter(|text| text.starts_with(first))
                .collect();
            assert_eq!(got, *expected, "{who} sees what {first} wrote");
        }
    }
}

#[test]
fn a_stranger_is_a_request_until_accepted_and_silent_once_blocked() {
    let network = Network::start();
    let (alice, eve) = (network.person("Alice"), network.person("Eve"));
    eve.send(&alice.id, "Hi, you do not know me");
    let events = alice.receive();
    assert!(events.iter().any(|event| event["event"] == "request"), "{events:?}");
    let requests = alice.ok(&["requests"]);
    assert_eq!(requests[0]["conversation"], eve.id.as_str());
    assert_eq!(requests[0]["name"], "Eve");
    assert_eq!(
        alice
            .ok(&["conversations"])
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["conversation"] == eve.id.as_str() && c["hidden"] == false)
            .count(),
        0
    );

    alice.ok(&["accept", &eve.id]);
    assert_eq!(alice.ok(&["requests"]).as_array().unwrap().len(), 0);
    assert_eq!(alice.ok(&["conversations"])[0]["name"], "Eve");

    alice.ok(&["block", &eve.id]);
    eve.send(&alice.id, "Still there?");
    alice.receive();
    assert!(!alice.texts(&eve.id).iter().any(|text| text == "Still there?"));
    alice.ok(&["unblock", &eve.id]);
    eve.send(&alice.id, "Now?");
    alice.receive();
    assert!(alice.texts(&eve.id).iter().any(|text| text == "Now?"));
}

#[test]
fn all_requests_are_declined_with_one_command() {
    let network = Network::start();
    let (alice, eve, mallory) = (network.person("Alice"), network.person("Eve"), network.person("Mallory"));
    for stranger in [&eve, &mallory] {
        stranger.send(&alice.id, "Hi, you do not know me");
    }
    alice.receive();
    assert_eq!(alice.ok(&["requests"]).as_array().unwrap().len(), 2);
    assert_eq!(alice.ok(&["decline-all"])["declined"], 2);
    assert_eq!(alice.ok(&["requests"]).as_array().unwrap().len(), 0);
    assert_eq!(alice.ok(&["contacts"]).as_array().unwrap().len(), 0);
    assert_eq!(alice.ok(&["decline-all"])["declined"], 0);
}

#[test]
fn notes_to_self_need_no_contact() {
    let network = Network::start();
    let alice = network.person("Alice");
    alice.send("self", "Door code, Thursday");
    assert_eq!(alice.texts("self"), ["Door code, Thursday"]);
    let other = network.nobody("other");
    other.ok_with_input(&["account", "restore"], &alice.phrase);
    other.receive();
    assert_eq!(other.texts("self"), ["Door code, Thursday"]);
}

#[test]
fn paths_have_three_hops() {
    let network = Network::start();
    let alice = network.person("Alice");
    let shown = alice.ok(&["path"]);
    let paths = shown["paths"].as_array().unwrap();
    assert!(!paths.is_empty());
    for path in paths {
        assert_eq!(path.as_array().unwrap().len(), 3);
    }
}
