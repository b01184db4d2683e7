//! Registered names (ONS) stand for ids, whatever the command.

use septet_protocol::name::Name;

use crate::conversation::contacts;
use crate::harness::Network;

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
