//! The bytes of what is in the swarm are kept, so that it can be put back as it was.

use super::value::Value;
use super::{Config, Contacts, Document, Kind, PushError, Rules, State, UserProfile};
use crate::crypto::{Ed25519Secret, Random, SystemRandom};
use crate::time::Timestamp;

const SEED: [u8; 32] = [7; 32];
const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

fn contacts() -> Document {
    Document::new_user(SEED, Kind::Contacts, Rules::Current)
}

/// What a document with this number pushes.
fn pushed(number: i64) -> Vec<Vec<u8>> {
    let mut document = contacts();
    document.set(&[b"n"], Value::Int(number));
    document.push(NOW).unwrap().messages
}

/// The same, as a client stores it that does not wrap.
fn unwrapped(number: i64) -> Vec<u8> {
    let plaintext = contacts().keys.decrypt(&pushed(number)[0]).unwrap();
    super::seal::encrypt(plaintext, &SEED, Kind::Contacts.domain()).unwrap()
}

fn reloaded(document: &mut Document) -> Document {
    contacts().load(&document.dump()).unwrap()
}

#[test]
fn what_came_is_put_back_as_it_came() {
    let foreign = unwrapped(1);
    assert_ne!(foreign, pushed(1)[0], "what we would make of it is something else");
    let mut document = contacts();
    assert_eq!(document.stored(), Ok(None), "nothing was ever stored");
    document.merge(&[("a".into(), &foreign)], NOW);
    for mut document in [reloaded(&mut document), document] {
        let before = document.dump();
        assert_eq!(document.stored(), Ok(Some(vec![foreign.clone()])));
        document.confirm_stored(&["a".into()]);
        assert!(document.state() == State::Clean && !document.needs_dump());
        assert_eq!(document.dump(), before, "putting it back changes nothing");
        document.confirm_stored(&["b".into()]);
        assert_eq!(document.current_hashes(), ["a".into(), "b".into()], "a new name is one more");
        assert!(document.needs_dump() && document.obsolete().is_empty());
    }
}

#[test]
fn what_was_pushed_is_put_back_as_it_was_pushed_and_nothing_else() {
    let mut document = contacts();
    document.set(&[b"n"], Value::Int(1));
    assert_eq!(document.stored(), Ok(None), "a push brings it");
    let push = document.push(NOW).unwrap();
    let mut document = reloaded(&mut document);
    assert_eq!(document.stored(), Ok(None), "nobody knows yet whether it is there");
    assert_eq!(document.push(NOW).unwrap().messages, push.messages);
    document.confirm_pushed(push.seqno, &["a".into()]);
    assert_eq!(document.stored(), Ok(Some(push.messages.clone())));
    assert_eq!(reloaded(&mut document).stored(), Ok(Some(push.messages.clone())));
    document.set(&[b"n"], Value::Int(2));
    let mut document = reloaded(&mut document);
    assert_eq!(document.stored(), Ok(None));
    assert_ne!(document.push(NOW).unwrap().messages, push.messages);
}

#[test]
fn the_bytes_of_a_message_in_parts_are_kept_while_it_comes_and_after() {
    let mut noise = vec![0; 200_000];
    SystemRandom.fill(&mut noise);
    let mut theirs = contacts();
    theirs.set(&[b"n"], Value::from(&noise[..]));
    let parts = theirs.push(NOW).unwrap().messages;
    assert!(parts.len() > 2);
    let mut document = contacts();
    for number in (0..parts.len()).rev() {
        document.merge(&[(number.to_string().as_str().into(), &parts[number])], NOW);
        document = reloaded(&mut document);
    }
    assert_eq!(document.stored(), Ok(Some(parts.clone())));
    let names: Vec<_> = (0..parts.len()).map(|number| number.to_string().as_str().into()).collect();
    assert_eq!(document.current_hashes(), names, "in the order of the bytes");
}

#[test]
fn a_dump_of_before_is_loaded_and_learns_the_bytes_when_they_come_again() {
    let foreign = unwrapped(1);
    let mut document = contacts();
    document.merge(&[("a".into(), &foreign)], NOW);
    document.stored = None;
    let mut document = reloaded(&mut document);
    assert_eq!(document.stored(), Ok(Some(pushed(1))), "as good as we know");
    document.push(NOW).unwrap();
    assert!(document.stored.is_none(), "which need not be what the swarm has");
    document.merge(&[("b".into(), &pushed(1)[0])], NOW);
    assert!(document.stored.is_none(), "nor is that of another name");
    document.merge(&[("a".into(), &foreign)], NOW);
    assert_eq!(document.stored(), Ok(Some(vec![foreign])));
}

#[test]
fn who_may_only_read_can_put_back_what_came() {
    let group = Ed25519Secret::from_seed([1; 32]).public();
    let make = |sign| Document::new_group(vec![[2; 32]], "groups::Info", group, sign, Rules::Current);
    let mut admin = make(Some(Ed25519Secret::from_seed([1; 32])));
    admin.set(&[b"n"], Value::from(&b"Book club"[..]));
    let message = admin.push(NOW).unwrap().messages.remove(0);
    let mut member = make(None);
    member.merge(&[("a".into(), &message)], NOW);
    let mut member = make(None).load(&member.dump()).unwrap();
    assert_eq!(member.stored(), Ok(Some(vec![message])));
    assert_eq!(member.push(NOW).err(), Some(PushError::ReadOnly));
    member.stored = None;
    assert_eq!(member.stored(), Err(PushError::ReadOnly), "nor can it be made");
}

#[test]
fn dumps_of_the_official_core_have_no_bytes() {
    let mut old = Document::new_user(SEED, Kind::Contacts, Rules::January2025);
    old.merge(&[("a".into(), &pushed(1)[0])], NOW);
    let dump = old.dump();
    assert_eq!(Contacts::load(&SEED, &dump).unwrap().stored(), Ok(Some(pushed(1))));
    assert!(UserProfile::load(&SEED, &dump).unwrap().document().stored.is_none());
}
