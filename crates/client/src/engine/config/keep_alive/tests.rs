//! The recorded cases, the rules one by one, and histories made by chance.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn section(name: &str) -> Value {
    let text = include_str!("../../../../../protocol/tests/data/changes-2026.json");
    serde_json::from_str::<Value>(text).unwrap()[name].clone()
}

/// The hash that a case calls by a name.
fn named(name: &Value) -> MessageHash {
    let mut hash = [0; 32];
    let name = name.as_str().unwrap().as_bytes();
    hash[..name.len()].copy_from_slice(name);
    MessageHash(hash)
}

fn list(names: &Value) -> Vec<MessageHash> {
    names.as_array().unwrap().iter().map(named).collect()
}

#[test]
fn answers_mean_what_other_clients_take_them_for() {
    for case in section("config_expiry_detection")["cases"].as_array().unwrap() {
        let alive = case["nodes"].as_array().unwrap().iter().filter(|node| node["failed"] != true);
        let members: Vec<Expired> = alive
            .map(|node| Expired {
                updated: list(&node["updated"])
                    .into_iter()
                    .map(|hash| (hash, Timestamp::from_ms(9)))
                    .collect(),
                unchanged: node["unchanged"].as_object().map(|told| {
                    let time = |at: &Value| Timestamp::from_ms(at.as_u64().unwrap());
                    told.iter().map(|(name, at)| (named(&name.as_str().into()), time(at))).collect()
                }),
            })
            .collect();
        let wanted = match case["result"].as_str().unwrap() {
            "unavailable" => Detection::Unavailable,
            "inconclusive" => Detection::Inconclusive,
            "conclusive" => Detection::Conclusive(list(&case["missing"]).into_iter().collect()),
            other => panic!("{other}"),
        };
        let extends = case["extend"].as_bool().unwrap();
        assert_eq!(detect(extends, &list(&case["asked"]), members.iter()), wanted, "{case}");
    }
}

#[test]
fn waits_are_those_of_other_clients() {
    let recovery = section("config_recovery");
    assert_eq!(recovery["bar_after_store_or_refusal_ms"], HOUR_MS);
    assert_eq!(recovery["extend_cooldown_ms"], HOUR_MS);
    let waits: Vec<Value> = (1..=6).map(|failures| wait_ms(failures).into()).collect();
    assert_eq!(recovery["backoff_ms"], Value::from(waits));
    assert_eq!([7, 64, 65, u32::MAX].map(wait_ms), [LONGEST_WAIT_MS; 4]);
    assert_eq!(recovery["batch_max"], septet_protocol::swarm::MAX_BATCH);
}

const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

fn hashes(numbers: &[u8]) -> BTreeSet<MessageHash> {
    numbers.iter().map(|number| MessageHash([*number; 32])).collect()
}

fn polled(number: u64) -> Event {
    Event::Polled { number, readable: true }
}

fn extended(missing: &[u8], begun: u64) -> Event {
    Event::Extended { confirmed: true, detection: Detection::Conclusive(hashes(missing)), begun }
}

/// One that has polled, extended, and learned that these are missing, while the second poll was under way.
fn missing(numbers: &[u8]) -> KeepAlive {
    let mut keep = KeepAlive::default();
    keep.on(polled(1), START);
    assert_eq!(keep.next(START), Action::Extend);
    assert_eq!(keep.next(START), Action::Wait, "it is being done");
    keep.on(extended(numbers, 2), START);
    keep
}

#[test]
fn the_swarm_is_asked_with_a_poll_and_once_an_hour() {
    let mut keep = KeepAlive::default();
    assert_eq!(keep.next(START), Action::Wait, "not before a poll");
    keep.on(polled(1), START);
    assert_eq!(keep.next(START), Action::Extend);
    keep.on(Event::Extended { confirmed: false, detection: Detection::Inconclusive, begun: 1 }, START);
    assert_eq!(keep.next(START + UNCONFIRMED_MS - 1), Action::Wait);
    let confirmed = START + UNCONFIRMED_MS;
    assert_eq!(keep.next(confirmed), Action::Extend, "the hour begins when somebody did it");
    keep.on(extended(&[], 1), confirmed);
    assert_eq!(keep.next(confirmed + HOUR_MS - 1), Action::Wait);
    assert_eq!(keep.next(confirmed + HOUR_MS), Action::Extend);
    keep.on(extended(&[], 1), confirmed + HOUR_MS);
    assert_eq!(keep.next(confirmed), Action::Extend, "the clock went backwards");
}

#[test]
fn nothing_is_put_back_before_a_poll_that_began_after_the_answer() {
    let mut keep = missing(&[1, 2]);
    assert!(keep.wants_poll());
    assert_eq!(keep.next(START), Action::Wait);
    keep.on(polled(2), START);
    assert!(keep.next(START) == Action::Wait && keep.wants_poll(), "that one was under way");
    keep.on(polled(3), START);
    assert!(!keep.wants_poll());
    assert_eq!(keep.next(START), Action::Restore(hashes(&[1, 2])));
    assert_eq!(keep.next(START), Action::Wait, "one round at a time");
}

#[test]
fn what_could_not_be_read_bars_until_the_next_start() {
    let mut keep = missing(&[1]);
    keep.on(Event::Polled { number: 3, readable: false }, START);
    keep.on(polled(4), START);
    assert!(keep.next(START) == Action::Wait && !keep.wants_poll());
    assert_eq!(keep.next(START + HOUR_MS), Action::Extend, "it is kept alive all the same");
    keep.on(extended(&[1], 4), START + HOUR_MS);
    keep.on(polled(5), START + HOUR_MS);
    assert_eq!(keep.next(START + HOUR_MS), Action::Wait);
}

#[test]
fn only_a_conclusion_changes_what_was_found() {
    for detection in [Detection::Unavailable, Detection::Inconclusive] {
        let mut keep = missing(&[1]);
        keep.on(polled(3), START);
        keep.on(Event::Extended { confirmed: true, detection, begun: 3 }, START);
        assert_eq!(keep.next(START), Action::Restore(hashes(&[1])));
    }
    let mut keep = missing(&[1]);
    keep.on(polled(3), START);
    keep.on(extended(&[], 3), START);
    assert_eq!(keep.next(START), Action::Wait, "it is there again");
}

#[test]
fn what_is_back_or_nobodys_is_settled_for_an_hour() {
    let mut keep = missing(&[1, 2, 3]);
    keep.on(polled(3), START);
    assert_eq!(keep.next(START), Action::Restore(hashes(&[1, 2, 3])));
    let round = Round { restored: hashes(&[1, 9]), unclaimed: hashes(&[2]), failed: 1 };
    keep.on(Event::Restored(round), START);
    assert_eq!(keep.next(START), Action::Restore(hashes(&[3])), "something came back: no wait");
    keep.on(Event::Restored(Round { failed: 1, ..Round::default() }), START);
    keep.on(Event::Lacking { hashes: hashes(&[1, 2, 9]), begun: 3 }, START);
    keep.on(polled(4), START);
    let later = START + FIRST_WAIT_MS;
    assert_eq!(keep.next(later), Action::Restore(hashes(&[3])), "the others are settled");
    keep.on(Event::Restored(Round { restored: hashes(&[3]), ..Round::default() }), later);
    assert_eq!(keep.next(START + HOUR_MS), Action::Extend);
    keep.on(
        Event::Extended { confirmed: true, detection: Detection::Inconclusive, begun: 4 },
        START + HOUR_MS,
    );
    assert_eq!(keep.next(START + HOUR_MS), Action::Restore(hashes(&[1, 2, 9])));
}

#[test]
fn rounds_that_put_nothing_back_come_ever_more_slowly_and_never_end() {
    let mut keep = missing(&[1]);
    let mut now = START;
    for failures in 1..40 {
        keep.on(polled(2 + u64::from(failures)), now);
        if keep.next(now) == Action::Extend {
            keep.on(Event::Extended { confirmed: true, detection: Detection::Inconclusive, begun: 2 }, now);
        } else {
            keep.busy = false;
        }
        assert_eq!(keep.next(now), Action::Restore(hashes(&[1])), "round {failures}");
        keep.on(Event::Restored(Round { failed: 1, ..Round::default() }), now);
        let wait = wait_ms(failures);
        assert_ne!(keep.next(now + wait - 1), Action::Restore(hashes(&[1])));
        keep.busy = false;
        now = now + wait;
    }
}

/// What may happen, in any order.
#[derive(Clone, Debug)]
enum Step {
    /// A poll begins, and another one that was under way is complete.
    Poll {
        readable: bool,
    },
    /// What is being done comes to an end: with these missing, or restored, or failed.
    Answer {
        conclusive: bool,
        confirmed: bool,
        hashes: Vec<u8>,
        failed: usize,
    },
    Lacking(Vec<u8>),
    Time(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || vec(0u8..5, 0..4);
    prop_oneof![
        8 => prop::bool::weighted(0.97).prop_map(|readable| Step::Poll { readable }),
        6 => (any::<bool>(), any::<bool>(), some(), 0usize..2).prop_map(
            |(conclusive, confirmed, hashes, failed)| Step::Answer { conclusive, confirmed, hashes, failed }
        ),
        1 => some().prop_map(Step::Lacking),
        5 => prop_oneof![0..100_000u64, 0..4_000_000u64].prop_map(Step::Time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, something is put back only after it was told missing and a later poll was complete, never
    /// after something could not be read, and never twice within an hour; nobody is asked twice within an hour.
    #[test]
    fn no_history_puts_back_too_early_or_too_often(steps in vec(step(), 1..80)) {
        let (mut keep, mut now) = (KeepAlive::default(), START);
        let (mut begun, mut barred) = (1, false);
        // When each was found missing: the polls complete by then.
        let mut found: BTreeMap<MessageHash, u64> = BTreeMap::new();
        let mut back: BTreeMap<MessageHash, Timestamp> = BTreeMap::new();
        let mut doing = Action::Wait;
        let mut confirmed_at: Option<Timestamp> = None;
        for step in steps {
            match step {
                Step::Time(ms) => now = now + ms,
                Step::Poll { readable } => {
                    barred |= !readable;
                    keep.on(Event::Polled { number: begun, readable }, now);
                    begun += 1;
                }
                Step::Lacking(numbers) => {
                    found.extend(hashes(&numbers).into_iter().map(|hash| (hash, begun)));
                    keep.on(Event::Lacking { hashes: hashes(&numbers), begun }, now);
                }
                Step::Answer { conclusive, confirmed, hashes: numbers, failed } => {
                    let told = hashes(&numbers);
                    match std::mem::replace(&mut doing, Action::Wait) {
                        Action::Wait => {}
                        Action::Extend => {
                            let detection = if conclusive {
                                found = told.iter().map(|hash| (*hash, begun)).collect();
                                Detection::Conclusive(told)
                            } else {
                                Detection::Inconclusive
                            };
                            if confirmed {
                                confirmed_at = Some(now);
                            }
                            keep.on(Event::Extended { confirmed, detection, begun }, now);
                        }
                        Action::Restore(asked) => {
                            let restored: BTreeSet<_> = asked.intersection(&told).copied().collect();
                            back.extend(restored.iter().map(|hash| (*hash, now)));
                            keep.on(Event::Restored(Round { restored, failed, ..Round::default() }), now);
                        }
                    }
                }
            }
            if doing != Action::Wait {
                prop_assert_eq!(keep.next(now), Action::Wait, "one thing at a time");
                continue;
            }
            doing = keep.next(now);
            match &doing {
                Action::Wait => {}
                Action::Extend => {
                    prop_assert!(confirmed_at.is_none_or(|at| now.since(at) >= HOUR_MS));
                }
                Action::Restore(asked) => {
                    prop_assert!(!barred && !asked.is_empty());
                    for hash in asked {
                        // The newest complete poll has the number before the one that begins next.
                        prop_assert!(found.get(hash).is_some_and(|at| begun - 1 > *at));
                        prop_assert!(back.get(hash).is_none_or(|at| now.since(*at) >= HOUR_MS));
                    }
                }
            }
        }
    }
}
