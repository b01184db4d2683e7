//! Registered names (ONS) stand for ids, whatever the command.

use std::time::{Duration, Instant};

use septet_devnet::{Devnet, Hold};
use septet_protocol::id::Account;
use septet_protocol::name::Name;

use crate::conversation::contacts;
use crate::harness::{Network, Person};

/// Longer than a name takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_command_takes_a_name_where_it_takes_an_id() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    let eve = network.person("Eve");
    for (name, person) in [("bob", &bob), ("eve", &eve)] {
        network.devnet().register_name(&Name::parse(name).unwrap(), &person.id.parse().unwrap());
    }
    eve.send(&alice.id, "hi");
    alice.receive();
    let number = alice.messages("bob")[0]["message_id"].to_string();
    assert_eq!(alice.messages("Bob"), alice.messages(&bob.id));
    for command in [
        &["send", "bob", "--text", "by name"][..],
        &["pin", "bob"],
        &["mute", "bob", "--for", "1h"],
        &["mark-read", "bob"],
        &["mark-unread", "bob"],
        &["set-expiry", "bob", "after-send:3600"],
        &["nickname", "bob", "Bobby"],
        &["react", "bob", &number, "👍"],
        &["delete", "bob", &number],
        &["hide", "bob"],
        &["hide", "bob", "--off"],
        &["accept", "eve"],
        &["block", "eve"],
        &["unblock", "eve"],
        &["delete-conversation", "bob"],
        &["delete-contact", "eve"],
    ] {
        alice.ok(command);
    }
    bob.send(&alice.id, "and back");
    let received = alice.run(&["receive", "--conversation", "bob"]);
    assert_eq!(received.code, Some(0), "{}", received.stderr);
    let events = received.lines;
    assert!(events.iter().any(|event| event["text"] == "and back"), "{events:?}");

    let nobody = alice.run(&["messages", "nobody-has-this-name"]);
    assert_eq!((nobody.code, nobody.error()), (Some(1), "name"), "{}", nobody.stderr);
    network.devnet().network_down(true);
    let offline = alice.run(&["messages", "bob", "--timeout", "2"]);
    assert_eq!((offline.code, offline.error()), (Some(4), "offline"), "{}", offline.stderr);
}

/// How often the network was asked for what somebody's swarm keeps.
fn polls(devnet: &Devnet, person: &Person) -> u64 {
    let account = Account::from(person.id.parse::<septet_protocol::id::SessionId>().unwrap());
    devnet.requests_of(&account).get("retrieve").copied().unwrap_or_default()
}

/// Waits until somebody waits for a name.
fn until_held(hold: &Hold) {
    let begun = Instant::now();
    while hold.held() == 0 {
        assert!(begun.elapsed() < PATIENCE, "nobody asks for a name");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_comes_while_a_name_is_looked_up_is_told() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    network.devnet().register_name(&Name::parse("bob").unwrap(), &bob.id.parse().unwrap());
    bob.send(&alice.id, "as long as it takes");
    let before = polls(network.devnet(), &alice);
    // As long as it is not known whose name it is, nothing is fetched that nobody could tell of.
    let names = network.devnet().hold("oxend_request");
    let read = alice.run(&["messages", "bob", "--timeout", "5"]);
    assert_eq!((read.code, read.error()), (Some(4), "offline"), "{}", read.stderr);
    assert!(names.held() > 0, "it waited for the name");
    assert_eq!(polls(network.devnet(), &alice), before);
    let received = std::thread::scope(|scope| {
        let receive = scope.spawn(|| alice.run(&["receive", "--conversation", "bob"]));
        until_held(&names);
        drop(names);
        receive.join().unwrap()
    });
    assert_eq!(received.code, Some(0), "{}", received.stderr);
    assert!(
        received.lines.iter().any(|event| event["text"] == "as long as it takes"),
        "{:?}",
        received.lines
    );
}
