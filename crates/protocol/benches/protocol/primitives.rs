//! What the rest is made of.

use septet_protocol::crypto::{Ed25519Secret, SystemRandom, X25519Secret, blake2b, xed25519};

use crate::measure::{Bench, bytes};

/// Hashes, signatures, key agreement.
pub fn run(bench: &Bench) {
    bench.section("Building blocks");
    for size in [32, 1024, 102_400, 10_485_760] {
        let message = bytes(size);
        bench.run(&format!("BLAKE2b, 32-byte output, {size} B"), || blake2b::<32>(&[], &[&message]));
    }
    let message = bytes(1024);
    let secret = Ed25519Secret::from_seed([1; 32]);
    let (public, signature) = (secret.public(), secret.sign(&message));
    bench.run("Ed25519 sign, 1024 B", || secret.sign(&message));
    bench.run("Ed25519 verify, 1024 B", || public.verify(&message, &signature));
    bench.run("Ed25519 public key to X25519", || public.to_x25519());
    let x25519 = secret.to_x25519();
    let other = X25519Secret::from_bytes([3; 32]).public();
    bench.run("X25519 key pair", || X25519Secret::from_bytes([4; 32]));
    bench.run("X25519 agreement", || x25519.diffie_hellman(&other));
    bench.run("XEd25519 sign, 1024 B", || xed25519::sign(&x25519, &message, &mut SystemRandom));
}
