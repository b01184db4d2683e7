//! The merge rules against worked examples, on messages as such, without the life of a document around them.

use data_encoding::HEXLOWER;
use serde_json::Value as Json;

use super::merge::{Outcome, merge};
use super::message::{Draft, Message, MessageError};
use super::value::{Dict, Scalar, Value};
use super::{Document, PushError, Rules, State};
use crate::crypto::Ed25519Secret;
use crate::time::Timestamp;

fn section(name: &str) -> Json {
    let examples: Json = serde_json::from_str(include_str!("../../tests/data/config.json")).unwrap();
    examples[name].clone()
}

fn hex(value: &Json) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn message(example: &Json) -> Message {
    let message = Message::parse(hex(&example["serialized_hex"]), None).unwrap();
    assert_eq!(
        (message.seqno, message.hash().to_vec()),
        (example["seqno"].as_i64().unwrap(), hex(&example["hash"]))
    );
    message
}

/// Merges; the original is what was merged, as in a dirty document.
fn combined(messages: &[&Message]) -> Draft {
    match merge(messages, true) {
        Some(Outcome::Combined(mut draft)) => {
            draft.original = draft.data.clone();
            draft
        }
        _ => panic!("nothing to combine"),
    }
}

#[test]
fn a_chain_of_versions() {
    let section = section("config_message_chain");
    let chain: Vec<_> = section["messages"].as_array().unwrap().iter().map(message).collect();
    for pair in chain.windows(2) {
        let mut draft = pair[0].increment();
        draft.data = pair[1].data.clone();
        assert_eq!(draft.finish(None).bytes(), pair[1].bytes());
    }
}

#[test]
fn worked_merges_in_any_order() {
    let section = section("merge_examples");
    let example = |name: &str| message(&section[name]);
    let (m123, m124a, m120b) = (example("m123"), example("m124a"), example("m120b_too_old"));
    let (m125a, m125b) = (example("m125a"), example("m125b"));
    let m126 = example("m126_merge_of_125a_125b");
    let m126b = example("m126b_merge_of_125b_124a_125a_123_120b");
    assert_eq!(combined(&[&m125a, &m125b]).finish(None).bytes(), m126.bytes());
    assert_eq!(combined(&[&m125b, &m125a, &m125a]).finish(None).bytes(), m126.bytes());
    let mut five = [&m125b, &m124a, &m125a, &m123, &m120b];
    for _ in 0..5 {
        five.rotate_left(1);
        assert_eq!(combined(&five).finish(None).bytes(), m126b.bytes());
        five.swap(0, 3);
        assert_eq!(combined(&five).finish(None).bytes(), m126b.bytes());
    }
    let mut last = combined(&[&m126, &m126b]);
    let path: [&[u8]; 2] = [b"dictA", b"goodbye"];
    let Some(Value::Set(mut set)) = last.data.at(&path).cloned() else { panic!("no set") };
    set.insert(Scalar::Int(789));
    last.data.insert_at(&path, Value::Set(set));
    let m127 = example("m127_merge_of_126a_126b_plus_local_add_789_to_dictA.goodbye");
    assert_eq!(last.finish(None).bytes(), m127.bytes());
    assert!(matches!(merge(&[&m125a, &m126, &m125b], true), Some(Outcome::Single(1))));
}

#[test]
fn signatures_cover_everything_before_them() {
    let section = section("signature");
    let secret = Ed25519Secret::from_seed(hex(&section["ed25519_secret_64"])[..32].try_into().unwrap());
    let full = hex(&section["full_message_hex"]);
    let signed = Message::parse(full.clone(), Some(&secret.public())).unwrap();
    assert_eq!(signed.hash().to_vec(), hex(&section["hash_of_full_message"]));
    let draft = Draft { original: Dict::default(), seqno: 10, lagged: Vec::new(), ..signed.increment() };
    assert_eq!(draft.finish(Some(&secret)).bytes(), full);
    let other = Ed25519Secret::from_seed([1; 32]).public();
    for (bytes, key) in [(full, &other), (draft.finish(None).bytes().to_vec(), &secret.public())] {
        assert_eq!(Message::parse(bytes, Some(key)).err(), Some(MessageError::Signature));
    }
}

#[test]
fn outer_keys_of_newer_versions_are_passed_on() {
    let bytes = hex(&section("invalid_messages")["must_be_accepted_hex"]["unknown_outer_keys_preserved"]);
    let message = Message::parse(bytes, None).unwrap();
    let next = String::from_utf8_lossy(message.increment().finish(None).bytes()).into_owned();
    assert!(next.starts_with("d1:#i2e1:$i5e1:&de1:(li1e1:ae1:<lli1e32:"), "{next}");
    assert!(next.ends_with("1:=de1:Ade1:zi1ee"), "{next}");
}

#[test]
fn who_may_not_sign_reads_and_takes_the_highest() {
    let now = Timestamp::from_ms(0);
    let secret = Ed25519Secret::from_seed([1; 32]);
    let group = secret.public();
    let make = |sign| Document::new_group(vec![[2; 32]], "groups::Info", group, sign, Rules::Current);
    let admin = |name: &[u8]| {
        let mut admin = make(Some(Ed25519Secret::from_seed([1; 32])));
        admin.set(&[b"n"], Value::from(name));
        admin.push(now).unwrap().messages.remove(0)
    };
    let (first, second) = (admin(b"first"), admin(b"second"));
    let mut member = make(None);
    member.set(&[b"n"], Value::from(&b"mine"[..]));
    assert!(member.is_read_only() && member.state() == State::Clean && member.data().is_empty());
    assert_eq!(member.push(now).err(), Some(PushError::ReadOnly));
    member.merge(&[("a".into(), &first)], now);
    member.merge(&[("b".into(), &second)], now);
    assert_eq!(member.data().bytes(b"n"), Some(&b"first"[..]), "a tie never replaces what is current");
    assert_eq!(member.state(), State::Clean);
}

#[test]
fn what_is_too_large_is_not_pushed_and_stays_as_it_was() {
    let now = Timestamp::from_ms(0);
    let mut document = Document::new_user([1; 32], super::Kind::Contacts, Rules::Current);
    document.set(&[b"a"], Value::Int(1));
    let small = document.push(now).unwrap();
    document.confirm_pushed(small.seqno, &["h".into()]);
    let mut noise = vec![0; 5_100_000];
    crate::crypto::Random::fill(&mut crate::crypto::SystemRandom, &mut noise);
    document.set(&[b"noise"], Value::from(&noise[..]));
    assert!(matches!(document.push(now), Err(PushError::TooLarge { limit: 5_000_000, .. })));
    assert_eq!((document.state(), document.needs_push()), (State::Dirty, true));
    document.erase(&[b"noise"]);
    let push = document.push(now).unwrap();
    assert_eq!((push.seqno, push.obsolete), (2, vec!["h".into()]), "what is obsolete was not forgotten");
}
