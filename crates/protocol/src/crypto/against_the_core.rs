//! How fast one-to-one messages are beside the official core, on whatever machine this is and however busy.
//!
//! The core calls libsodium, so its part is played by the same calls in the same order (`encrypt_for_recipient` and
//! `decrypt_incoming` of its `session_encrypt`). Both take turns in short rounds and only processor time counts; what
//! is printed is the median over the rounds of the quotient. A measurement judges nothing, so it only runs when asked:
//!
//! `cargo test --release -p septet-protocol --lib against_the_core -- --ignored --nocapture`

use std::hint::black_box;

use super::session::{Recipients, Senders};
use super::sodium::other;
use super::{Ed25519Secret, SystemRandom};

const ROUNDS: usize = 300;
const CALLS: u32 = 16;

/// Processor time of this thread in ns; 0 where the system does not tell.
fn processor_ns() -> u64 {
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default()
}

/// ns that one call takes.
fn one<T>(call: &mut impl FnMut() -> T) -> f64 {
    let start = processor_ns();
    (0..CALLS).for_each(|_| drop(black_box(call())));
    (processor_ns() - start) as f64 / f64::from(CALLS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare<A, B>(what: &str, mut ours: impl FnMut() -> A, mut core: impl FnMut() -> B) {
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (one(&mut ours), one(&mut core))).collect();
    let us = |side: fn(&(f64, f64)) -> f64| median(rounds.iter().map(side).collect()) / 1000.0;
    let quotient = median(rounds.iter().map(|(ours, core)| core / ours).collect());
    println!("{what}: {:.1} µs, core {:.1} µs, {quotient:.2} times as fast", us(|it| it.0), us(|it| it.1));
}

#[test]
#[ignore = "a measurement"]
fn one_to_one_messages_against_the_core() {
    let (sender, me) = ([1; 32], [2; 32]);
    let (ours, mine) = (Ed25519Secret::from_seed(sender), Ed25519Secret::from_seed(me).to_x25519());
    let to = mine.public();
    let (senders, recipients) = (Senders::default(), Recipients::default());
    let (secret, my_secret) = (other::expanded(&sender), other::expanded(&me));
    for size in [0, 160, 1024, 6000, 100_000] {
        let message: Vec<u8> = (0..size).map(|at: usize| (at * 131 + at / 256) as u8).collect();
        let encrypt = || recipients.encrypt_for_recipient(&message, &ours, &to, &mut SystemRandom).unwrap();
        let sealed = encrypt();
        assert_eq!(other::core_decrypt(&sealed, &my_secret).unwrap(), message);
        let theirs = other::core_encrypt(&message, &secret, &to.0);
        assert_eq!(senders.decrypt_incoming(&theirs, &mine).unwrap().message, message);
        compare(&format!("encrypt {size} B"), encrypt, || other::core_encrypt(&message, &secret, &to.0));
        compare(
            &format!("decrypt {size} B"),
            || senders.decrypt_incoming(&sealed, &mine),
            || other::core_decrypt(&sealed, &my_secret),
        );
    }
}
