//! One account in two profiles: what a command changes in one is so in the other after `receive`.

use serde_json::Value;

use crate::conversation::contacts;
use crate::harness::{Network, Person};

/// Alice's phone and laptop, and Bob, whom she knows.
fn household(network: &Network) -> (Person, Person, Person) {
    let (phone, bob) = contacts(network);
    let mut laptop = network.nobody("laptop");
    let restored = laptop.ok_with_input(&["account", "restore"], &phone.phrase);
    assert_eq!((&restored["contacts"], &restored["name"]), (&1.into(), &"Alice".into()));
    assert_eq!((&restored["groups"], &restored["communities"]), (&0.into(), &0.into()));
    laptop.id = phone.id.clone();
    (phone, laptop, bob)
}

/// A row of a list, by one of its keys.
fn row(person: &Person, list: &str, key: &str, id: &str) -> Value {
    let rows = person.ok(&[list]);
    rows.as_array().unwrap().iter().find(|row| row[key] == id).cloned().unwrap_or(Value::Null)
}

#[test]
fn every_setting_of_a_contact_made_here_is_made_there() {
    let network = Network::start();
    let (phone, laptop, bob) = household(&network);
    let commands: &[(&[&str], &str, Value)] = &[
        (&["pin"], "pinned", true.into()),
        (&["pin", "--off"], "pinned", false.into()),
        (&["mute", "--for", "1h"], "muted", true.into()),
        (&["mute", "--off"], "muted", false.into()),
        (&["mark-unread"], "marked_unread", true.into()),
        (&["mark-unread", "--off"], "marked_unread", false.into()),
        (&["hide"], "hidden", true.into()),
        (&["hide", "--off"], "hidden", false.into()),
        (
            &["set-expiry", "after-read:300"],
            "expiry",
            serde_json::json!({"mode": "after_read", "seconds": 300}),
        ),
        (&["set-expiry", "off"], "expiry", serde_json::json!({"mode": "off"})),
    ];
    for (command, key, value) in commands {
        let mut arguments = vec![command[0], &bob.id];
        arguments.extend(&command[1..]);
        assert_eq!(phone.ok(&arguments)["ok"], true);
        laptop.receive();
        for person in [&phone, &laptop] {
            let row = row(person, "conversations", "conversation", &bob.id);
            assert_eq!(&row[key], value, "{command:?}: {row}");
        }
    }
    // And the other way round, of what is shown of a contact.
    for (command, key, value) in [
        (vec!["nickname", &bob.id, "Bobby"], "nickname", Value::from("Bobby")),
        (vec!["nickname", &bob.id, ""], "nickname", Value::Null),
        (vec!["block", &bob.id], "blocked", true.into()),
        (vec!["unblock", &bob.id], "blocked", false.into()),
    ] {
        laptop.ok(&command);
        phone.receive();
        assert_eq!(row(&phone, "contacts", "account_id", &bob.id)[key], value, "{command:?}");
    }
    phone.ok(&["account", "set", "--name", "Alice B"]);
    laptop.receive();
    assert_eq!(laptop.ok(&["account", "show"])["name"], "Alice B");
}

#[test]
fn what_is_read_accepted_and_deleted_here_is_so_there() {
    let network = Network::start();
    let (phone, laptop, bob) = household(&network);
    bob.send(&phone.id, "read me");
    phone.receive();
    laptop.receive();
    let unread = |person: &Person| row(person, "conversations", "conversation", &bob.id)["unread"].clone();
    assert_ne!(unread(&laptop), 0);
    phone.ok(&["mark-read", &bob.id]);
    laptop.receive();
    assert_eq!((unread(&phone), unread(&laptop)), (0.into(), 0.into()));

    let eve = network.person("Eve");
    eve.send(&phone.id, "who are you?");
    phone.receive();
    laptop.receive();
    assert_eq!(laptop.ok(&["requests"])[0]["conversation"], eve.id.as_str());
    // A reaction is an answer, as a message is.
    let asked = phone.messages(&eve.id)[0]["message_id"].to_string();
    phone.ok(&["react", &eve.id, &asked, "👍"]);
    laptop.receive();
    for person in [&phone, &laptop] {
        assert_eq!(person.ok(&["requests"]).as_array().unwrap().len(), 0);
        assert_eq!(row(person, "contacts", "account_id", &eve.id)["approved"], true);
    }
    eve.receive();
    assert_eq!(row(&eve, "contacts", "account_id", &phone.id)["approved_me"], true);

    phone.ok(&["delete-conversation", &bob.id]);
    laptop.receive();
    for person in [&phone, &laptop] {
        assert_eq!(person.texts(&bob.id), [""; 0]);
        assert_eq!(row(person, "conversations", "conversation", &bob.id)["hidden"], true);
        assert_eq!(row(person, "contacts", "account_id", &bob.id)["approved"], true);
    }
    phone.ok(&["delete-contact", &eve.id]);
    laptop.receive();
    for person in [&phone, &laptop] {
        assert_eq!(row(person, "contacts", "account_id", &eve.id), Value::Null);
    }
    assert_eq!(phone.run(&["delete-contact", "self"]).error(), "refused");
}

#[test]
fn note_to_self_is_set_up_the_same_everywhere() {
    let network = Network::start();
    let (phone, laptop, _) = household(&network);
    phone.send("self", "milk");
    phone.ok(&["pin", "self"]);
    phone.ok(&["set-expiry", "self", "after-send:86400"]);
    laptop.receive();
    let note = row(&laptop, "conversations", "conversation", &phone.id);
    assert_eq!((&note["pinned"], &note["hidden"]), (&true.into(), &false.into()));
    assert_eq!(note["expiry"], serde_json::json!({"mode": "after_send", "seconds": 86400}));
    assert_eq!(phone.run(&["set-expiry", "self", "after-read:60"]).error(), "refused");
    laptop.ok(&["hide", "self"]);
    phone.receive();
    assert_eq!(row(&phone, "conversations", "conversation", &phone.id)["hidden"], true);
}

#[test]
fn a_restore_without_a_network_says_so_and_is_completed_by_the_next_command_with_one() {
    // One that keeps what it has over a stop.
    let mut network = Network::with_clock_offset(0);
    let phone = network.person("Alice");
    network.stop();
    let laptop = network.nobody("laptop");
    let ended = laptop.run_with_input(&["account", "restore", "--name", "Typed here"], &phone.phrase);
    assert_eq!((ended.code, ended.error()), (Some(4), "offline"), "{}", ended.stderr);
    let rename = ["account", "set", "--name", "Alice B"];
    let ended = laptop.run(&[&rename[..], &["--timeout", "1"]].concat());
    assert_eq!((ended.code, ended.error()), (Some(4), "offline"), "{}", ended.stderr);
    network.start_again();
    let third = network.nobody("third");
    assert_eq!(
        third.ok_with_input(&["account", "restore"], &phone.phrase)["name"],
        "Alice",
        "nothing was published"
    );
    // What is changed now is a change of what the account has.
    assert_eq!(laptop.ok(&rename)["ok"], true);
    phone.receive();
    for person in [&laptop, &phone] {
        assert_eq!(person.ok(&["account", "show"])["name"], "Alice B");
    }
}
