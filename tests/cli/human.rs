//! What is printed for people: ids and names, and nothing that others wrote looks like what it is not.

use crate::conversation::contacts;
use crate::harness::{Network, OTHER_BREAKS};

#[test]
fn a_text_cannot_pretend_to_be_another_message() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    bob.send(&alice.id, "send the money");
    alice.receive();
    let honest = alice.human(&["messages", &bob.id]);
    let line = honest.lines().find(|line| line.contains("send the money")).unwrap();
    let short = format!("{}…{}", &bob.id[..4], &bob.id[62..]);
    assert!(line.contains(&format!("Bob ({short}): ")), "{line}");
    let fakes = [
        format!("yes\n{line}"),
        format!("yes\r\n{line}"),
        format!("yes\u{2028}{line}"),
        format!("yes\u{85}{line}"),
        format!("yes\u{1b}[2K\u{1b}[1G{line}"),
        format!("yes\u{202e}{line}"),
        format!("yes{}{line}", " ".repeat(300)),
    ];
    for fake in &fakes {
        bob.send(&alice.id, fake);
    }
    let told = alice.human(&["receive"]);
    for (what, printed) in [("messages", alice.human(&["messages", &bob.id])), ("receive", told)] {
        let pretending: Vec<_> =
            printed.lines().filter(|printed| *printed == line || printed.starts_with(line)).collect();
        assert_eq!(pretending.len(), usize::from(what == "messages"), "{printed}");
        assert!(!printed.contains(OTHER_BREAKS) && !printed.contains(['\u{1b}', '\u{202e}']), "{printed:?}");
        assert!(printed.contains("\\u{1b}[2K") && printed.contains("\\u{202e}"), "{printed}");
        assert!(!printed.contains(&" ".repeat(20)), "{printed}");
        // What follows a line break is not at the beginning of a line, where messages have their number.
        let numbered = printed.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).count();
        let expected = if what == "messages" { alice.messages(&bob.id).len() } else { fakes.len() };
        assert_eq!(numbered, expected, "{printed}");
    }
    let list = alice.human(&["conversations"]);
    assert!(list.lines().all(|line| line.starts_with("05")), "{list}");
}

#[test]
fn mentions_are_names_for_people_and_ids_for_programs() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let text = format!("ask @{} or @nobody or bob@example.org", bob.id);
    alice.send(&bob.id, &text);
    assert!(alice.human(&["messages", &bob.id]).contains("ask @Bob (05"));
    assert!(alice.human(&["messages", &bob.id]).contains("or @nobody or bob@example.org"));
    assert_eq!(alice.texts(&bob.id).pop(), Some(text));
}

#[test]
fn names_cannot_steer_either() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    alice.ok(&["nickname", &bob.id, "Bob\u{202e}\u{1b}[31m"]);
    for command in [&["contacts"][..], &["conversations"], &["messages", &bob.id]] {
        let printed = alice.human(command);
        assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{command:?}: {printed:?}");
        assert!(printed.contains("Bob"), "{command:?}: {printed:?}");
    }
}
