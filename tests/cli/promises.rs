//! `{"ok":true}` is said when it is true, and only then. That each run prints one object, the harness checks of all.

use std::time::{Duration, Instant};

use septet_devnet::Fault;
use septet_protocol::id::{Account, SessionId};

use crate::conversation::contacts;
use crate::harness::{Network, Person, program};

#[test]
fn what_cannot_be_done_is_not_said_to_be_done() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let stranger = network.person("Stranger");
    let refused = |arguments: &[&str], error: &str| {
        let ended = alice.run(arguments);
        assert_eq!((ended.code, ended.error()), (Some(1), error), "{arguments:?}: {}", ended.stderr);
    };
    for command in ["accept", "decline", "mark-read", "mark-unread", "pin", "hide", "unblock", "messages"] {
        refused(&[command, &stranger.id], "unknown_conversation");
    }
    refused(&["accept", "self"], "refused");
    refused(&["decline", &bob.id], "no_request");
    assert_eq!(alice.ok(&["contacts"]).as_array().unwrap().len(), 1, "declining is not deleting a contact");
    alice.ok(&["block", &stranger.id]);
    refused(&["accept", &stranger.id], "blocked");

    bob.send(&alice.id, "mine");
    alice.receive();
    let theirs = alice.messages(&bob.id).pop().unwrap()["message_id"].to_string();
    refused(&["delete", &bob.id, &theirs, "--for-everyone"], "refused");
    refused(&["delete", "self", &theirs], "no_such_message");
    refused(&["react", &bob.id, "123456", "👍"], "no_such_message");
    assert_eq!(alice.texts(&bob.id).last().unwrap(), "mine");
}

#[test]
fn several_messages_are_deleted_at_once_or_none_of_them() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    for text in ["one", "two"] {
        alice.send(&bob.id, text);
    }
    bob.send(&alice.id, "mine");
    bob.receive();
    alice.receive();
    let number = |text: &str| {
        let all = alice.messages(&bob.id);
        all.iter().find(|message| message["text"] == text).unwrap()["message_id"].to_string()
    };
    let (one, two, mine) = (number("one"), number("two"), number("mine"));
    let ended = alice.run(&["delete", &bob.id, &one, &mine, "--for-everyone"]);
    assert_eq!(ended.error(), "refused", "{}", ended.stderr);
    let ended = alice.run(&["delete", &bob.id, &one, "123456"]);
    assert_eq!(ended.error(), "no_such_message", "{}", ended.stderr);
    assert!(alice.texts(&bob.id).contains(&"one".to_owned()), "none of them");
    alice.ok(&["delete", &bob.id, &one, &two, "--for-everyone"]);
    bob.receive();
    let left = bob.texts(&alice.id);
    assert!(!left.contains(&"one".to_owned()) && !left.contains(&"two".to_owned()), "{left:?}");
    assert!(left.contains(&"mine".to_owned()));
}

#[test]
fn what_the_network_has_not_taken_is_kept_and_said_to_be_so() {
    let mut network = Network::with_clock_offset(0);
    let (alice, bob) = contacts(&network);
    alice.send(&bob.id, "a mistake");
    bob.receive();
    let mistake = alice.messages(&bob.id).pop().unwrap()["message_id"].to_string();
    let first = alice.messages(&bob.id)[0]["message_id"].to_string();
    network.stop();
    for command in [
        &["delete", &bob.id, &mistake, "--for-everyone"][..],
        &["react", &bob.id, &first, "👍"],
        &["pin", &bob.id],
        &["set-expiry", &bob.id, "after-send:3600"],
        &["account", "set", "--name", "Alice B"],
    ] {
        let ended = alice.run(&[command, &["--timeout", "1"]].concat());
        assert_eq!((ended.code, ended.error()), (Some(4), "offline"), "{command:?}: {}", ended.stderr);
    }
    // What is for this device only needs no network.
    alice.ok(&["delete", &bob.id, &first]);
    let created = network.nobody("later").ok(&["account", "create", "--name", "Later", "--timeout", "1"]);
    assert_eq!(created["published"], false);
    assert_eq!(created["recovery_phrase"].as_str().unwrap().split(' ').count(), 13);

    network.start_again();
    alice.receive();
    bob.receive();
    assert!(!bob.texts(&alice.id).contains(&"a mistake".to_owned()));
    let name = bob.ok(&["contacts"])[0]["name"].clone();
    assert_eq!(name, "Alice B");
}

/// Alice, and somebody whose swarm is another one than hers.
pub fn strangers_apart(network: &Network) -> (Person, Person) {
    let alice = network.person("Alice");
    let swarm = |id: &str| network.devnet().swarm_id_of(&Account::from(id.parse::<SessionId>().unwrap()));
    let strangers = (0..).map(|number| network.person(&format!("Eve {number}")));
    let eve = strangers.into_iter().find(|eve| swarm(&eve.id) != swarm(&alice.id)).unwrap();
    (alice, eve)
}

/// Somebody's swarm answers everything with this status; others go on as usual.
pub fn swarm_answers(network: &Network, person: &Person, status: u16) {
    let account = Account::from(person.id.parse::<SessionId>().unwrap());
    for node in network.devnet().swarm_of(&account) {
        network.devnet().set_fault(&node, Fault::Answers(status, "Not now".into()));
    }
}

#[test]
fn what_the_network_refuses_for_good_is_not_said_to_be_done() {
    let network = Network::here();
    let (alice, eve) = strangers_apart(&network);
    alice.send(&eve.id, "hi");
    let number = alice.messages(&eve.id)[0]["message_id"].to_string();
    swarm_answers(&network, &eve, 403);
    for command in [&["react", &eve.id, &number, "👍"][..], &["delete", &eve.id, &number, "--for-everyone"]]
    {
        let ended = alice.run(command);
        assert_eq!((ended.code, ended.error()), (Some(1), "not_delivered"), "{command:?}: {}", ended.stderr);
    }
    let ended = alice.run(&["send", &eve.id, "--text", "again"]);
    assert_eq!((ended.code, ended.error()), (Some(1), "not_sent"), "{}", ended.stderr);
}

#[test]
fn a_password_is_refused_as_long_as_there_are_none() {
    let network = Network::start();
    let alice = network.person("Alice");
    let file = network.folder().join("password");
    std::fs::write(&file, "secret\n").unwrap();
    for option in ["-", file.to_str().unwrap()] {
        let ended = alice.run_with_input(&["account", "show", "--password-file", option], "secret\nmore\n");
        assert_eq!((ended.code, ended.error()), (Some(2), "usage"), "{}", ended.stderr);
        assert!(ended.sentence().contains("not protected by a password"), "{}", ended.sentence());
    }
    let ended = alice.run(&["--password-file", "no-such-file", "conversations"]);
    assert_eq!((ended.code, ended.error()), (Some(1), "unreadable"), "{}", ended.stderr);
}

#[test]
fn all_conversations_are_listed_and_marked() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let (eve, mallory) = (network.person("Eve"), network.person("Mallory"));
    eve.send(&alice.id, "hi");
    mallory.send(&alice.id, "hi");
    alice.receive();
    alice.ok(&["block", &mallory.id]);
    let all = alice.ok(&["conversations"]);
    let row = |id: &str| {
        let row = all.as_array().unwrap().iter().find(|row| row["conversation"] == id).cloned();
        row.unwrap_or_else(|| panic!("{id} is not in {all}"))
    };
    let marks = |id: &str| ["request", "blocked", "hidden"].map(|key| row(id)[key].as_bool().unwrap());
    assert_eq!(marks(&bob.id), [false, false, false]);
    assert_eq!(marks(&eve.id), [true, false, true]);
    assert_eq!(marks(&mallory.id), [false, true, true]);
    let human = alice.human(&["conversations"]);
    assert!(human.contains("Eve (request)") && human.contains("Mallory (blocked)"), "{human}");
}

#[test]
fn answers_are_told_by_the_number_of_their_message() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let number = |person: &crate::harness::Person, with: &str| {
        person.messages(with).iter().find(|it| it["text"] == "Hello Bob").unwrap()["message_id"].clone()
    };
    let asked = number(&bob, &alice.id);
    bob.ok(&["send", &alice.id, "--text", "Hello Alice", "--reply-to", &asked.to_string()]);
    let events = alice.receive();
    let event = events.iter().find(|event| event["text"] == "Hello Alice").unwrap();
    assert_eq!(event["reply_to"], number(&alice, &bob.id));
    for (person, with) in [(&alice, &bob.id), (&bob, &alice.id)] {
        let answer = person.messages(with).pop().unwrap();
        assert_eq!(answer["reply_to"], number(person, with));
        assert!(person.messages(with)[0]["reply_to"].is_null());
    }
    // One form everywhere: what is printed is what is taken.
    let ended = alice.run(&["send", &bob.id, "--text", "x", "--reply-to", "999999"]);
    assert_eq!(ended.error(), "no_such_message");
}

#[test]
fn what_has_expired_is_not_shown_also_while_nothing_runs() {
    let network = Network::start();
    let alice = network.person("Alice");
    alice.ok(&["set-expiry", "self", "after-send:4"]);
    alice.send("self", "gone in a moment");
    let end = alice.messages("self").last().map(|message| message["expires_at"].clone());
    let deadline = Instant::now() + Duration::from_secs(60);
    let shown = || alice.human(&["messages", "self"]).contains("gone in a moment");
    // No command that is run here deletes anything.
    while shown() {
        assert!(Instant::now() < deadline, "it ended at {end:?} and is still shown");
    }
    assert!(!alice.texts("self").contains(&"gone in a moment".to_owned()));
    assert!(!alice.ok(&["conversations"]).to_string().contains("gone in a moment"));
}

#[test]
fn wrong_usage_is_one_object_too() {
    for arguments in [&["--json", "unheard-of"][..], &["--json", "send", "self", "--timeout", "never"]] {
        let ended = program().args(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        let stdout = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(stdout.lines().count(), 1, "{stdout}");
        let error: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(error["error"]["code"], "usage");
    }
}
