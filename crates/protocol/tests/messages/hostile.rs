//! Messages that are made to cost or to confuse: what is made of each, and how much memory all of them take.

use std::process::Command;

use septet_protocol::account::{AccountKeys, Seed};
use septet_protocol::crypto::{SystemRandom, session};
use septet_protocol::message::{Content, DecodeError, Received, decode_one_to_one};
use septet_protocol::wire::{Message, proto};

/// Nearly as long as a message that is looked at: several times what swarms keep.
const LONG: usize = 300_000;
/// Tells the test that it is to measure itself.
const CHILD: &str = "SEPTET_HOSTILE_CHILD";
/// In kB.
const MOST_MEMORY: u64 = 150_000;

/// A field that is a text or a message.
fn field(number: usize, value: &[u8]) -> Vec<u8> {
    let varint = |mut rest: usize| {
        let mut out = Vec::new();
        while rest > 0x7f {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        out
    };
    [&varint(number << 3 | 2), &varint(value.len()), value].concat()
}

/// What a stranger's content is to us.
fn received(me: &AccountKeys, content: &[u8]) -> Result<Received, DecodeError> {
    let stranger = Seed::from_bytes([8; 16]).keys();
    let padded = [content, &[0x80]].concat();
    let to = me.session_id.x25519();
    let sealed = session::encrypt_for_recipient(&padded, &stranger.ed25519, &to, &mut SystemRandom).unwrap();
    let envelope =
        proto::Envelope { kind: Some(6), timestamp: Some(5), content: Some(sealed), ..Default::default() };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    let stored = proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec();
    decode_one_to_one(&stored, me)
}

fn said(me: &AccountKeys, data: &[u8]) -> Result<Received, DecodeError> {
    received(me, &field(1, data))
}

/// The text of a visible message.
fn text(received: Result<Received, DecodeError>) -> String {
    match received.unwrap().content {
        Content::Visible(visible) => visible.body,
        other => panic!("{other:?}"),
    }
}

fn each_is_read_within_its_limits() {
    let me = &Seed::from_bytes([7; 16]).keys();
    let body = field(1, b"hello");
    let long = vec![b'a'; LONG - 1000];

    // 140,000 attachments of two bytes each.
    let attachments = said(me, &[&body[..], &field(2, &[]).repeat(LONG / 2 - 100)].concat());
    assert!(matches!(attachments, Err(DecodeError::Content(_))), "{attachments:?}");
    // As many previews, of links that are not in the text.
    let previews = said(me, &[&body[..], &field(10, &field(1, b"")).repeat(LONG / 4 - 100)].concat());
    assert_eq!(text(previews), "hello");
    // A title and a name as long as the message allows.
    let link = b"https://a.example";
    let preview = field(10, &[field(1, link), field(2, &long)].concat());
    match said(me, &[field(1, link), preview].concat()).unwrap().content {
        Content::Visible(visible) => assert!(visible.preview.unwrap().title.chars().count() <= 1000),
        other => panic!("{other:?}"),
    }
    let profile = said(me, &[&body[..], &field(101, &field(1, &long))].concat()).unwrap().profile.unwrap();
    assert_eq!(profile.name.unwrap().as_str().len(), 100);
    // Ten times ten thousand letters, and a letter under a tower of accents.
    assert_eq!(text(said(me, &field(1, &long))).len(), 10_000);
    let tower = format!("e{}", "\u{301}".repeat(LONG / 2 - 100));
    assert_eq!(text(said(me, &field(1, tower.as_bytes()))).chars().count(), 10_000);
    // A text that is not one: a byte becomes three.
    assert_eq!(text(said(me, &field(1, &vec![0xff; LONG - 1000]))).chars().count(), 10_000);
    // The same field a hundred thousand times: the last counts; parts of one message are put together.
    assert_eq!(text(said(me, &[field(1, b"x").repeat(90_000), body.clone()].concat())), "hello");
    let apart = [field(1, &field(1, b"x")).repeat(50_000), field(1, &body)].concat();
    assert_eq!(text(received(me, &apart)), "hello");
    // Groups in groups, which nobody writes, deeper than any stack.
    let nested = [vec![0x0b; LONG / 2 - 100], vec![0x0c; LONG / 2 - 100]].concat();
    assert!(received(me, &nested).is_err());
    // Messages in messages.
    let mut nested = Vec::new();
    while nested.len() < LONG / 2 {
        nested = field(1, &field(120, &nested));
    }
    let _ = received(me, &nested);
    // Receipts for 250,000 messages of the year 1970.
    let stamps = vec![0x01; LONG - 1000];
    let receipt = received(me, &field(5, &[&[0x08, 1][..], &field(2, &stamps)].concat()));
    assert!(matches!(receipt.unwrap().content, Content::ReadReceipt(list) if list.len() == stamps.len()));
    // Calls with a hundred thousand lines.
    let call = [&[0x08, 2][..], &field(2, &[]).repeat(100_000), &field(5, b"id")].concat();
    let _ = received(me, &field(3, &call));
    // Larger than any swarm keeps: not even opened.
    assert_eq!(said(me, &field(1, &vec![b'a'; 10_000_000])), Err(DecodeError::Envelope));
}

#[test]
fn hostile_messages_are_cut_to_limits_in_little_memory() {
    if std::env::var_os(CHILD).is_some() || !cfg!(target_os = "linux") {
        each_is_read_within_its_limits();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        return println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    }
    let name = "hostile::hostile_messages_are_cut_to_limits_in_little_memory";
    let mut child = Command::new(std::env::current_exe().unwrap());
    let out = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{told}{}", String::from_utf8_lossy(&out.stderr));
    let peak =
        told.lines().find_map(|line| line.split("VmHWM:").nth(1)?.trim().strip_suffix(" kB")?.parse().ok());
    let peak: u64 = peak.unwrap();
    println!("{peak} kB at most");
    assert!(peak < MOST_MEMORY, "{peak} kB");
}
