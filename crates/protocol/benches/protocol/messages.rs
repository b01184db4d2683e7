//! One-to-one messages.

use septet_protocol::crypto::session::{
    Recipients, Senders, decrypt_incoming, encrypt_for_recipient, encrypt_for_recipient_deterministic,
};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom};

use crate::measure::{Bench, bytes};

/// Signing and sealing; opening and verifying.
pub fn run(bench: &Bench) {
    bench.section("One-to-one messages");
    let sender = Ed25519Secret::from_seed([1; 32]);
    let me = Ed25519Secret::from_seed([2; 32]).to_x25519();
    let to = me.public();
    for size in [0, 160, 1024, 6000, 100_000] {
        let message = bytes(size);
        bench.run(&format!("encrypt_for_recipient, {size} B"), || {
            encrypt_for_recipient(&message, &sender, &to, &mut SystemRandom)
        });
    }
    let recipients = Recipients::default();
    for size in [160, 1024] {
        let message = bytes(size);
        bench.run(&format!("encrypt_for_recipient, {size} B, recipient known"), || {
            recipients.encrypt_for_recipient(&message, &sender, &to, &mut SystemRandom)
        });
    }
    let message = bytes(1024);
    bench.run("encrypt_for_recipient_deterministic, 1024 B", || {
        encrypt_for_recipient_deterministic(&message, &sender, &to)
    });
    for size in [0, 160, 1024, 6000, 100_000] {
        let Ok(sealed) = encrypt_for_recipient(&bytes(size), &sender, &to, &mut SystemRandom) else { return };
        bench.run(&format!("decrypt_incoming, {size} B"), || decrypt_incoming(&sealed, &me));
        let senders = Senders::default();
        bench.run(&format!("decrypt_incoming, {size} B, sender known"), || {
            senders.decrypt_incoming(&sealed, &me)
        });
    }
}
