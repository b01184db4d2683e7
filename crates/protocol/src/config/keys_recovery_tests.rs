//! What is kept of keys messages, and what is done with it: the rules one by one, and over everything that can be.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::kept_keys::{KeptKeys, MAX_KEPT_KEYS, MAX_KEPT_KEYS_BYTES, NotKept};
use super::keys_recovery::{BACK_FILL_PAUSE_MS, FORCED_REKEY_PAUSE_MS, ForcedRekey, KeysRecovery, KeysView};
use super::{LoadError, Removed};
use crate::bencode::{write_bytes, write_int};
use crate::id::{GroupId, MessageHash};
use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;

const GROUP: GroupId = GroupId([3; 32]);
const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const HOUR_MS: u64 = 3_600_000;

type Names = BTreeSet<MessageHash>;

/// The keys message of this number: too short for a real one, but none is read here.
fn message(number: u8) -> [u8; 2] {
    [b'k', number]
}

fn name(number: u8) -> MessageHash {
    KeptKeys::new(GROUP).name_of(&message(number))
}

fn names(numbers: &[u8]) -> Names {
    numbers.iter().map(|number| name(*number)).collect()
}

fn kept(numbers: &[u8]) -> KeptKeys {
    let mut kept = KeptKeys::new(GROUP);
    numbers.iter().for_each(|number| assert_eq!(kept.keep(&message(*number)), Ok(true)));
    kept
}

fn held(kept: &KeptKeys) -> Names {
    kept.iter().map(|(name, _)| name).collect()
}

fn sent(view: KeysView<'_>, missing: &Names) -> Names {
    view.to_restore(missing).into_iter().map(|(name, _)| name).collect()
}

const fn view<'a>(active: &'a Names, kept: &'a KeptKeys) -> KeysView<'a> {
    KeysView { removed: Removed::No, active, kept }
}

/// A dump of these messages, whatever they are.
fn written(version: i64, messages: &[Vec<u8>], after: &[u8]) -> Vec<u8> {
    let mut out = b"d1:!".to_vec();
    write_int(&mut out, version);
    out.extend_from_slice(b"1:ml");
    messages.iter().for_each(|message| write_bytes(&mut out, message));
    out.extend_from_slice(b"e");
    out.extend_from_slice(after);
    out
}

#[test]
fn a_message_is_kept_once_under_the_name_that_the_swarm_gives_it() {
    let mut kept = kept(&[1]);
    assert_eq!(kept.keep(&message(1)), Ok(false));
    assert_eq!((kept.len(), kept.get(&name(1))), (1, Some(&message(1)[..])));
    assert_eq!(kept.get(&name(2)), None);
    let elsewhere = KeptKeys::new(GroupId([4; 32]));
    assert_ne!(elsewhere.name_of(&message(1)), name(1), "another group has another swarm");
    assert_eq!(format!("{kept:?}"), format!("{{{}: 2}}", name(1)), "no bytes in logs");
}

#[test]
fn what_no_swarm_takes_and_what_is_too_much_is_not_kept() {
    let mut kept = KeptKeys::new(GROUP);
    for length in [0, MAX_MESSAGE_BYTES + 1] {
        assert_eq!(kept.keep(&vec![0; length]), Err(NotKept::Length(length)));
    }
    let large = |number: usize| {
        let mut large = vec![0; MAX_MESSAGE_BYTES];
        large[..8].copy_from_slice(&(number as u64).to_le_bytes());
        large
    };
    let fit = MAX_KEPT_KEYS_BYTES / MAX_MESSAGE_BYTES;
    (0..fit).for_each(|number| assert_eq!(kept.keep(&large(number)), Ok(true)));
    assert_eq!(kept.keep(&large(fit)), Err(NotKept::Full));
    assert_eq!(kept.keep(&large(0)), Ok(false), "that is here");
    assert_eq!(kept.keep(&vec![1; MAX_KEPT_KEYS_BYTES % MAX_MESSAGE_BYTES]), Ok(true), "up to the last byte");
    assert_eq!(kept.keep(&[1]), Err(NotKept::Full));
    assert_eq!(KeptKeys::load(GROUP, &kept.dump()), Ok(kept.clone()));
    let mut more: Vec<Vec<u8>> = kept.iter().map(|(_, message)| message.to_vec()).collect();
    more.push(vec![1]);
    assert_eq!(KeptKeys::load(GROUP, &written(1, &more, b"e")), Err(LoadError::Damaged));

    let mut kept = KeptKeys::new(GROUP);
    let many: Vec<Vec<u8>> = (0..=MAX_KEPT_KEYS).map(|number| number.to_le_bytes().to_vec()).collect();
    many[1..].iter().for_each(|message| assert_eq!(kept.keep(message), Ok(true)));
    assert_eq!(kept.keep(&many[0]), Err(NotKept::Full));
    assert_eq!(KeptKeys::load(GROUP, &kept.dump()), Ok(kept.clone()));
    assert_eq!(KeptKeys::load(GROUP, &written(1, &many, b"e")), Err(LoadError::Damaged));
    assert!(kept.retain(&held(&kept).into_iter().skip(1).collect()));
    assert_eq!(kept.keep(&many[0]), Ok(true), "there is room again");
}

#[test]
fn only_what_is_active_stays() {
    let mut kept = kept(&[1, 2, 3]);
    assert!(!kept.retain(&names(&[1, 2, 3, 4])), "all of them are");
    assert!(kept.retain(&names(&[2, 4])));
    assert_eq!(held(&kept), names(&[2]));
    assert!(kept.retain(&names(&[])) && kept.is_empty());
}

#[test]
fn dumps_of_this_layout_are_read_and_others_are_not() {
    let two = [message(1).to_vec(), message(2).to_vec()];
    let load = |dump: &[u8]| KeptKeys::load(GROUP, dump);
    assert_eq!(load(&written(1, &two, b"e")), Ok(kept(&[1, 2])));
    assert_eq!(load(&written(1, &two, b"1:zi1ee")), Ok(kept(&[1, 2])), "with something more");
    assert_eq!(load(&written(1, &[], b"e")), Ok(kept(&[])));
    for damaged in [
        written(2, &two, b"e"),
        written(1, &two, b""),
        written(1, &two, b"ee"),
        written(1, &[vec![]], b"e"),
        written(1, &[vec![0; MAX_MESSAGE_BYTES + 1]], b"e"),
        b"de".to_vec(),
        b"d1:!i1ee".to_vec(),
        b"d1:mlee".to_vec(),
        b"d1:!i1e1:mli1eee".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(load(&damaged), Err(LoadError::Damaged), "{damaged:?}");
    }
}

#[test]
fn if_one_is_missing_all_that_are_kept_are_stored() {
    let (active, kept) = (names(&[1, 2, 3]), kept(&[1, 2, 9]));
    let view = view(&active, &kept);
    let wanted: Vec<_> = kept.iter().filter(|(it, _)| *it != name(9)).collect();
    for missing in [&[1][..], &[3], &[1, 2, 3], &[3, 77]] {
        assert_eq!(view.to_restore(&names(missing)), wanted, "{missing:?}");
    }
    for missing in [&[][..], &[9], &[77]] {
        assert_eq!(view.to_restore(&names(missing)), [], "{missing:?}: no active one is missing");
    }
    for removed in [Removed::Kicked, Removed::Destroyed] {
        assert_eq!(KeysView { removed, ..view }.to_restore(&active), [], "{removed:?}");
    }
}

#[test]
fn a_restore_counts_when_every_message_was_taken() {
    let (active, kept) = (names(&[1, 2]), kept(&[1, 2]));
    let view = view(&active, &kept);
    let mut recovery = KeysRecovery::default();
    recovery.on_missing(view, &names(&[1, 2, 77]));
    assert_eq!(recovery.lost(), &active, "others are no keys messages");
    assert!(!recovery.is_expired(view), "they can be put back");
    for stored in [&[][..], &[1], &[2, 77]] {
        assert!(!recovery.on_restored(&active, &names(stored)));
        assert!(recovery.is_expired(view) && recovery.lost() == &active, "{stored:?}");
    }
    assert!(!recovery.on_restored(&names(&[]), &active), "nothing was put back");
    assert!(recovery.on_restored(&active, &names(&[1, 2, 77])));
    assert!(!recovery.is_expired(view) && recovery.lost().is_empty());
    recovery.on_missing(view, &active);
    assert!(!recovery.is_expired(view), "the failure of before is forgotten");
}

#[test]
fn people_are_told_only_if_nothing_survived_and_nothing_can_be_put_back() {
    let (active, none) = (names(&[1, 2]), kept(&[9]));
    let mut recovery = KeysRecovery::default();
    assert!(!recovery.is_expired(view(&active, &none)), "nobody said that anything is lost");
    recovery.on_missing(view(&active, &none), &names(&[1]));
    assert!(!recovery.is_expired(view(&active, &none)), "one survived");
    recovery.on_missing(view(&active, &none), &active);
    assert!(recovery.is_expired(view(&active, &none)));
    assert!(!recovery.is_expired(view(&active, &kept(&[2]))), "one can be put back");
    assert!(!recovery.is_expired(view(&names(&[1, 2, 3]), &none)), "there is a new one");
    assert!(!recovery.is_expired(view(&names(&[]), &none)), "nothing is known of it");
    for removed in [Removed::Kicked, Removed::Destroyed] {
        assert!(!recovery.is_expired(KeysView { removed, ..view(&active, &none) }));
    }
    // Putting back what is kept of it is enough, though another is still lost.
    assert!(recovery.on_restored(&names(&[2]), &names(&[2])));
    assert!(!recovery.is_expired(view(&active, &kept(&[2]))) && recovery.lost() == &names(&[1]));
    recovery.on_restored(&names(&[2]), &names(&[]));
    recovery.on_missing(view(&active, &none), &names(&[]));
    recovery.on_missing(view(&active, &none), &active);
    assert!(!recovery.is_expired(view(&active, &kept(&[2]))), "they were there in between");
}

#[test]
fn a_back_fill_that_left_bytes_missing_is_the_last_for_an_hour() {
    let active = names(&[1, 2]);
    let (none, some, all) = (kept(&[]), kept(&[1]), kept(&[1, 2, 3]));
    let mut recovery = KeysRecovery::default();
    assert!(!recovery.wants_back_fill(view(&active, &all), NOW));
    for kept in [&none, &some] {
        assert!(recovery.wants_back_fill(view(&active, kept), NOW));
    }
    assert!(!recovery.back_fill_failed());
    // One that was not answered is told to nobody: the next may follow at once.
    assert!(recovery.wants_back_fill(view(&active, &none), NOW));
    recovery.on_back_filled(view(&active, &some), NOW);
    assert!(recovery.back_fill_failed());
    assert!(!recovery.wants_back_fill(view(&active, &some), NOW));
    assert!(!recovery.wants_back_fill(view(&active, &some), NOW + (HOUR_MS - 1)));
    assert!(recovery.wants_back_fill(view(&active, &some), NOW + HOUR_MS));
    assert!(!recovery.wants_back_fill(view(&active, &all), NOW + HOUR_MS), "a poll brought it");
    assert!(recovery.wants_back_fill(view(&active, &some), NOW - 1), "the clock went backwards");
    for removed in [Removed::Kicked, Removed::Destroyed] {
        assert!(!recovery.wants_back_fill(KeysView { removed, ..view(&active, &some) }, NOW + HOUR_MS));
    }
    recovery.on_back_filled(view(&active, &all), NOW);
    assert!(!recovery.back_fill_failed());
    assert!(recovery.wants_back_fill(view(&names(&[4]), &all), NOW), "for another that is missing");
    assert_eq!(BACK_FILL_PAUSE_MS, HOUR_MS);
}

#[test]
fn an_attempt_of_a_forced_rekey_bars_another_for_a_day_whatever_the_clock_does() {
    let (active, kept) = (names(&[1]), kept(&[]));
    let rekey = ForcedRekey {
        is_admin: true,
        view: view(&active, &kept),
        lost: &active,
        back_fill_failed: true,
        level_in_this_poll: true,
        done_in_this_run: false,
        last_attempt: None,
        now: NOW,
    };
    assert!(rekey.is_allowed());
    let after = |ms| ForcedRekey { last_attempt: Some(NOW), now: NOW + ms, ..rekey }.is_allowed();
    assert_eq!([0, FORCED_REKEY_PAUSE_MS - 1, FORCED_REKEY_PAUSE_MS].map(after), [false, false, true]);
    assert!(!ForcedRekey { last_attempt: Some(NOW), now: NOW - 1, ..rekey }.is_allowed());
    assert_eq!(FORCED_REKEY_PAUSE_MS, 24 * HOUR_MS);
}

fn any_numbers() -> impl Strategy<Value = Vec<u8>> {
    btree_set(0_u8..6, 0..6).prop_map(|numbers| numbers.into_iter().collect())
}

fn any_removed() -> impl Strategy<Value = Removed> {
    prop_oneof![4 => Just(Removed::No), 1 => Just(Removed::Kicked), 1 => Just(Removed::Destroyed)]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    (0..60 * HOUR_MS).prop_map(|ms| NOW + ms)
}

proptest! {
    #[test]
    fn what_is_kept_is_the_same_after_a_dump(messages in vec(vec(any::<u8>(), 1..300), 0..12)) {
        let mut kept = KeptKeys::new(GROUP);
        for message in &messages {
            let known = kept.get(&kept.name_of(message)).is_some();
            prop_assert_eq!(kept.keep(message), Ok(!known));
        }
        let read = KeptKeys::load(GROUP, &kept.dump()).unwrap();
        prop_assert_eq!(&read, &kept);
        prop_assert_eq!(read.dump(), kept.dump());
        for message in &messages {
            prop_assert_eq!(read.get(&read.name_of(message)), Some(&message[..]));
        }
        let mut reversed = KeptKeys::new(GROUP);
        messages.iter().rev().for_each(|message| assert!(reversed.keep(message).is_ok()));
        prop_assert_eq!(reversed.dump(), kept.dump(), "in whatever order they came");
    }

    #[test]
    fn garbage_is_refused_or_read_as_something_that_can_be_kept(
        messages in vec(vec(any::<u8>(), 0..40), 0..6),
        hits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut: prop::sample::Index,
    ) {
        let mut dump = written(1, &messages, b"e");
        for (at, byte) in hits {
            let at = at.index(dump.len());
            dump[at] = byte;
        }
        let cut = cut.index(dump.len() + 1);
        prop_assert!(cut == dump.len() || KeptKeys::load(GROUP, &dump[..cut]).is_err(), "without its end");
        if let Ok(kept) = KeptKeys::load(GROUP, &dump) {
            prop_assert_eq!(KeptKeys::load(GROUP, &kept.dump()), Ok(kept.clone()));
            prop_assert!(kept.iter().all(|(name, message)| !message.is_empty() && kept.name_of(message) == name));
        }
    }

    #[test]
    fn bytes_that_are_no_dump_never_panic(dump in vec(any::<u8>(), 0..200)) {
        prop_assert!(KeptKeys::load(GROUP, &dump).is_err());
    }

    /// The rules again, in other words, over any mixture of what is active, kept and missing.
    #[test]
    fn what_is_stored_again_is_all_or_nothing_and_active(
        active in any_numbers(), kept_numbers in any_numbers(), missing in any_numbers(), removed in any_removed(),
    ) {
        let (active, kept, missing) = (names(&active), kept(&kept_numbers), names(&missing));
        let view = KeysView { removed, ..view(&active, &kept) };
        let sent = sent(view, &missing);
        let wanted: Names = match removed == Removed::No && missing.iter().any(|it| active.contains(it)) {
            true => held(&kept).intersection(&active).copied().collect(),
            false => Names::new(),
        };
        prop_assert_eq!(sent, wanted);
        let (with, without): (Names, Names) =
            (view.with_bytes().map(|(it, _)| it).collect(), view.without_bytes().collect());
        prop_assert!(with.is_disjoint(&without));
        prop_assert_eq!(with.union(&without).copied().collect::<Names>(), active);
    }

    #[test]
    fn a_device_that_stores_all_it_must_tells_nothing_and_one_without_bytes_does(
        active in any_numbers(), kept_numbers in any_numbers(), missing in any_numbers(), taken in any_numbers(),
    ) {
        let (active, kept, missing) = (names(&active), kept(&kept_numbers), names(&missing));
        let (view, mut recovery) = (view(&active, &kept), KeysRecovery::default());
        recovery.on_missing(view, &missing);
        let sent = sent(view, &missing);
        let all_lost = !active.is_empty() && active.iter().all(|it| missing.contains(it));
        prop_assert_eq!(recovery.is_expired(view), all_lost && sent.is_empty());
        let done = recovery.on_restored(&sent, &names(&taken));
        prop_assert_eq!(done, !sent.is_empty() && sent.iter().all(|it| names(&taken).contains(it)));
        prop_assert_eq!(recovery.is_expired(view), all_lost && !done);
    }

    /// All conditions together allow it, and not without any of them.
    #[test]
    fn a_forced_rekey_needs_every_condition(
        missed in btree_set(0_u8..9, 0..3), active in any_numbers(), others in any_numbers(), gone: bool,
        number: prop::sample::Index, now in any_time(), last in any_time(), ever: bool,
    ) {
        let misses = |condition| missed.contains(&condition);
        let mut active = names(&active);
        if misses(0) {
            active.clear();
        } else {
            active.insert(name(number.index(6) as u8));
        }
        let one = active.iter().nth(number.index(active.len().max(1))).copied();
        let mut lost: Names = active.union(&names(&[7])).copied().collect();
        if misses(1) {
            one.iter().for_each(|one| assert!(lost.remove(one)));
        }
        let mut kept = kept(&others);
        kept.retain(&held(&kept).difference(&active).copied().collect());
        if let Some(number) = (0..6).find(|it| misses(2) && Some(name(*it)) == one) {
            assert_eq!(kept.keep(&message(number)), Ok(true));
        }
        let day = 24 * HOUR_MS;
        let last = match misses(3) {
            true => Some(now + last.since(NOW) - (day - 1)),
            false => ever.then_some(now - (day + last.since(NOW))),
        };
        let rekey = ForcedRekey {
            is_admin: !misses(4),
            view: KeysView {
                removed: match (misses(5), gone) {
                    (false, _) => Removed::No,
                    (true, false) => Removed::Kicked,
                    (true, true) => Removed::Destroyed,
                },
                active: &active,
                kept: &kept,
            },
            lost: &lost,
            back_fill_failed: !misses(6),
            level_in_this_poll: !misses(7),
            done_in_this_run: misses(8),
            last_attempt: last,
            now,
        };
        prop_assert_eq!(rekey.is_allowed(), missed.is_empty(), "{:?}", rekey);
    }
}
