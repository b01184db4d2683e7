//! `receive --follow --json` as the input of a bot: every line valid, in order, documented.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use septet_devnet::FileFault;
use septet_protocol::account::parse_recovery;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{
    Call, CallId, CallKind, CommunityInvitation, Content, DataExtraction, MessageRef, Outgoing, Visible,
    encode_one_to_one,
};
use septet_protocol::time::Timestamp;
use serde_json::Value;

use crate::conversation::contacts;
use crate::harness::{Network, OTHER_BREAKS, Person};
use crate::schema::Schema;

/// What takes so long does not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that follows, and what it has printed so far.
struct Follower {
    process: Child,
    lines: Receiver<String>,
    schema: Schema,
    seen: Vec<Value>,
}

impl Follower {
    fn of(person: &Person, options: &[&str]) -> Self {
        let mut process = person.command(&[&["receive", "--follow"], options].concat()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || stdout.lines().try_for_each(|line| tell.send(line.unwrap())));
        Self { process, lines, schema: Schema::of_events(), seen: Vec::new() }
    }

    /// Reads on until there was such an event, and checks each line.
    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(event) = self.seen.iter().find(|event| wanted(event)) {
            return event.clone();
        }
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("{what} does not come after {:#?}", self.seen));
            assert!(!line.contains(OTHER_BREAKS), "{line:?}");
            let event: Value = serde_json::from_str(&line).unwrap();
            self.schema.check(&event).unwrap_or_else(|wrong| panic!("{wrong}\n{line}"));
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    fn until_text(&mut self, text: &str) -> Value {
        self.until(text, |event| event["event"] == "message" && event["text"] == text)
    }

    fn until_kind(&mut self, kind: &str) -> Value {
        self.until(kind, |event| event["event"] == kind)
    }

    fn until_notice(&mut self, kind: &str) -> Value {
        self.until(kind, |event| event["notice"]["kind"] == kind)
    }

    /// The texts of the messages of a conversation, in the order in which they were told.
    fn texts_of(&self, conversation: &str) -> Vec<&str> {
        let of_it = |event: &&Value| event["conversation"] == conversation && event["event"] == "message";
        self.seen.iter().filter(of_it).map(|event| event["text"].as_str().unwrap()).collect()
    }

    fn end(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Switches read receipts and typing indicators on.
fn tells_all(person: &Person) {
    person.ok(&["settings", "--read-receipts", "on", "--typing-indicators", "on"]);
}

/// Puts something into somebody's swarm that Septet itself never says.
fn says(network: &Network, from: &Person, to: &Person, content: Content) {
    says_at(network, from, to, content, network.devnet().now());
}

/// The same, sent at a time of the network in ms.
pub fn says_at(network: &Network, from: &Person, to: &Person, content: Content, sent: u64) {
    let keys = parse_recovery(&from.phrase).unwrap().keys();
    let id: SessionId = to.id.parse().unwrap();
    let outgoing = Outgoing::new(content, Timestamp::from_ms(sent));
    let data = encode_one_to_one(&outgoing, &keys, &id, &mut SystemRandom).unwrap();
    network.devnet().deliver(&Account::from(id), Namespace::MESSAGES, data, sent, sent + 1_000_000_000);
}

/// The number that somebody's message has with another.
fn number(person: &Person, with: &str, text: &str) -> String {
    let messages = person.messages(with);
    let found = messages.iter().rfind(|message| message["text"] == text);
    found.unwrap_or_else(|| panic!("no {text}: {messages:?}"))["message_id"].to_string()
}

/// What Septet itself does not say: screenshots, calls, invitations, and answers to what nobody has.
fn foreign(network: &Network, from: &Person, to: &Person, follower: &mut Follower) {
    says(network, from, to, Content::DataExtraction(DataExtraction::Screenshot));
    follower.until_notice("screenshot");
    // Only a person who saves a file in a window has this told; a program that fetches does not.
    says(network, from, to, Content::DataExtraction(DataExtraction::MediaSaved(None)));
    follower.until_notice("media_saved");
    let call = Call {
        id: CallId("0000-call".into()),
        kind: CallKind::Offer,
        sdps: vec!["v=0".into()],
        line_indexes: Vec::new(),
        mids: Vec::new(),
    };
    says(network, from, to, Content::Call(call));
    follower.until_notice("missed_call");
    let url = format!("https://example.org/room?public_key={}", "ab".repeat(32));
    let name = "A room\u{2028}{\"event\":\"profile\"}".to_owned();
    says(network, from, to, Content::CommunityInvitation(CommunityInvitation { url, name }));
    follower.until_notice("community_invitation");
    let quote =
        MessageRef { author: to.id.parse().unwrap(), timestamp: Timestamp::from_ms(1_700_000_000_000) };
    let answer = Visible { body: "to what nobody has".into(), quote: Some(quote), ..Visible::default() };
    says(network, from, to, Content::Visible(answer));
    let event = follower.until_text("to what nobody has");
    assert!(event["reply_to"].is_null() && event["quote"]["timestamp"] == 1_700_000_000_000_u64, "{event}");
}

/// What contacts do: texts, files, answers, reactions, deletions, timers.
fn everyday(network: &Network, alice: &Person, bob: &Person, follower: &mut Follower) {
    let file = network.folder().join("notes.txt");
    std::fs::write(&file, "hello").unwrap();
    alice.ok(&["receive", "--download", network.folder().join("of-alice").to_str().unwrap()]);
    let waits = number(alice, &bob.id, "waits");
    alice.ok(&["mark-read", &bob.id]);
    assert_eq!(follower.until_kind("read")["from"], alice.id.as_str());
    let nasty = "one\u{2028}two\u{85}three\u{1b}[31m \"four\"\\ \u{202e}five\n{\"event\":\"profile\"}";
    alice.send(&bob.id, nasty);
    follower.until_text(nasty);
    alice.ok(&[
        "send",
        &bob.id,
        "--text",
        "an answer",
        "--reply-to",
        &waits,
        "--file",
        file.to_str().unwrap(),
    ]);
    let answer = follower.until_text("an answer");
    let state = follower.until_kind("state");
    assert_eq!(state["message_id"], answer["reply_to"]);
    let path = answer["attachments"][0]["path"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "hello");
    alice.ok(&["react", &bob.id, &waits, "👍"]);
    let reaction = follower.until_kind("reaction");
    assert_eq!((&reaction["emoji"], &reaction["message_id"]), (&"👍".into(), &answer["reply_to"]));
    alice.ok(&["react", &bob.id, &waits, "👍", "--remove"]);
    follower
        .until("the end of the reaction", |event| event["event"] == "reaction" && event["removed"] == true);
    alice.send(&bob.id, "a mistake");
    let mistake = follower.until_text("a mistake");
    alice.ok(&["delete", &bob.id, &number(alice, &bob.id, "a mistake"), "--for-everyone"]);
    assert_eq!(follower.until_kind("deleted")["message_id"], mistake["message_id"]);
    alice.ok(&["set-expiry", &bob.id, "after-read:3600"]);
    let timer = follower.until_notice("expiry_changed");
    assert!(timer["text"].as_str().unwrap().starts_with("Alice set messages to disappear"), "{timer}");
    alice.send(&bob.id, "for an hour");
    assert_eq!(follower.until_text("for an hour")["expires_in"], 3600);
}

#[test]
fn every_event_is_valid_ordered_and_documented() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    let (carol, eve) = (network.person("Carol"), network.person("Eve"));
    [&alice, &bob].iter().for_each(|person| tells_all(person));
    bob.send(&carol.id, "hi Carol");
    carol.receive();
    let laptop = network.nobody("laptop");
    laptop.ok_with_input(&["account", "restore"], &bob.phrase);
    let picture = network.folder().join("plan.bin");
    std::fs::write(&picture, [7; 100]).unwrap();
    bob.ok(&["send", &alice.id, "--file", picture.to_str().unwrap()]);
    network.devnet().network_down(true);
    let waits = bob.run(&["send", &alice.id, "--text", "waits", "--timeout", "0"]);
    assert_eq!(waits.code, Some(4), "{}", waits.stderr);
    network.devnet().network_down(false);

    let into = network.folder().join("in");
    let mut follower = Follower::of(&bob, &["--download", into.to_str().unwrap()]);
    follower.until_kind("state");
    everyday(&network, &alice, &bob, &mut follower);
    foreign(&network, &alice, &bob, &mut follower);
    carol.ok(&["accept", &bob.id]);
    assert_eq!(follower.until_notice("they_accepted")["conversation"], carol.id.as_str());
    eve.send(&bob.id, "you do not know me");
    assert_eq!(follower.until_kind("request")["name"], "Eve");
    laptop.send(&alice.id, "from my laptop");
    let copy = follower.until_text("from my laptop");
    assert_eq!((&copy["sync"], &copy["from"]), (&true.into(), &bob.id.as_str().into()));
    laptop.ok(&["account", "set", "--name", "Bob B"]);
    follower.until_kind("profile");
    says(&network, &alice, &bob, Content::Typing(true));
    assert_eq!(follower.until_kind("typing")["from"], alice.id.as_str());
    alice.send(&bob.id, "the end");
    follower.until_text("the end");
    follower.until("the end of typing", |event| event["event"] == "typing" && event["typing"] == false);

    let seen = follower.end();
    for other in [&alice, &carol, &eve] {
        in_order(&seen, &bob, &other.id);
    }
    documented(&seen);
}

/// What was told of a conversation was told once, in the order in which it stands there.
fn in_order(seen: &[Value], person: &Person, with: &str) {
    let line = |event: &&Value| {
        event["conversation"] == with && (event["event"] == "message" || event["event"] == "notice")
    };
    let told: Vec<_> = seen.iter().filter(line).map(|event| event["message_id"].clone()).collect();
    let messages = person.messages(with);
    let stands: Vec<_> = messages
        .iter()
        .map(|message| message["message_id"].clone())
        .filter(|number| told.contains(number))
        .collect();
    assert!(!told.is_empty());
    assert_eq!(told, stands, "{messages:#?}");
}

/// Every kind of event that can occur has occurred, and every kind and key is explained.
fn documented(seen: &[Value]) {
    let page = include_str!("../../docs/events.md");
    let kinds: BTreeSet<_> = seen.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let expected =
        ["deleted", "message", "notice", "profile", "reaction", "read", "request", "state", "typing"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    for event in seen {
        let kind = event["event"].as_str().unwrap();
        assert!(page.contains(&format!("## `{kind}`")), "{kind} is not documented");
    }
}

#[test]
fn the_page_explains_every_key_with_examples_that_are_valid() {
    let page = include_str!("../../docs/events.md");
    let schema = Schema::of_events();
    for key in schema.keys() {
        assert!(page.contains(&format!("`{key}`")), "{key} is not explained");
    }
    let examples: Vec<_> =
        page.split("```json\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    let mut kinds = BTreeSet::new();
    for example in examples {
        let event: Value = serde_json::from_str(example).unwrap();
        schema.check(&event).unwrap_or_else(|wrong| panic!("{wrong}\n{example}"));
        kinds.insert(event["event"].as_str().unwrap_or("error").to_owned());
    }
    let described: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `"))
        .map(|kind| kind.trim_end_matches('`').to_owned())
        .collect();
    assert_eq!(kinds, described, "each kind has an example");
}

#[test]
fn a_file_that_is_long_in_coming_holds_back_its_own_conversation_only() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    let carol = network.person("Carol");
    carol.send(&bob.id, "hi");
    bob.receive();
    bob.ok(&["accept", &carol.id]);
    let file = network.folder().join("file.bin");
    std::fs::write(&file, [7; 1000]).unwrap();
    alice.ok(&["send", &bob.id, "--text", "first", "--file", file.to_str().unwrap()]);
    alice.send(&bob.id, "second");
    network.devnet().set_file_fault(FileFault::Broken);

    let into = network.folder().join("in");
    let mut follower = Follower::of(&bob, &["--download", into.to_str().unwrap()]);
    carol.send(&bob.id, "meanwhile");
    follower.until_text("meanwhile");
    carol.send(&bob.id, "and again");
    follower.until_text("and again");
    assert!(follower.texts_of(&alice.id).is_empty(), "{:#?}", follower.seen);
    network.devnet().clear_file_faults();
    follower.until_text("second");
    assert_eq!(follower.texts_of(&alice.id), ["first", "second"]);
    let path = follower.until_text("first")["attachments"][0]["path"].as_str().map(str::to_owned);
    assert_eq!(std::fs::read(path.expect("it was waited for")).unwrap(), [7; 1000]);
}
