//! Onion requests of four layers: three hops and a node as destination.

use septet_protocol::crypto::{Ed25519Secret, SystemRandom, X25519Secret};
use septet_protocol::onion::{Destination, EncType, Hop, LayerKey, build, parse_request, peel};

use crate::measure::{Bench, bytes};

/// Building, peeling one layer, opening a reply, with both ciphers.
pub fn run(bench: &Bench) {
    for enc in [EncType::XChaCha20, EncType::AesGcm] {
        bench.section(&format!("Onion requests, {}", enc.name()));
        for (label, size) in [("1 KB", 1024), ("100 KB", 102_400), ("1 MiB", 1_048_576)] {
            one_size(bench, enc, label, &bytes(size));
        }
    }
}

fn node(number: u8) -> (X25519Secret, Hop) {
    let key = Ed25519Secret::from_seed([number; 32]);
    let secret = key.to_x25519();
    let hop = Hop { ed25519: key.public(), x25519: secret.public() };
    (secret, hop)
}

fn one_size(bench: &Bench, enc: EncType, label: &str, payload: &[u8]) {
    let name = enc.name();
    let (guard, first) = node(1);
    let path = [first, node(2).1, node(3).1];
    let (secret, hop) = node(4);
    let destination = Destination::Node(hop);
    bench.run(&format!("{name}: build, 4 layers, {label} payload"), || {
        build(&path, &destination, payload, enc, &mut SystemRandom)
    });
    let Ok(request) = build(&path, &destination, payload, enc, &mut SystemRandom) else { return };
    println!("    finished request: {} bytes", request.body.len());
    bench.run(&format!("{name}: peel one layer, {label} payload"), || {
        let envelope = parse_request(&request.body).ok()?;
        peel(&guard, envelope.enc, &envelope.ephemeral, envelope.ciphertext).ok()
    });
    // The reference derives the key again for every reply; so does this line, though a client keeps it.
    let ephemeral = X25519Secret::from_bytes([5; 32]);
    let Some(key) = LayerKey::node(enc, &secret, &ephemeral.public()) else { return };
    let reply = key.encrypt(payload, &mut SystemRandom);
    bench.run(&format!("{name}: derive key and decrypt reply, {label} body"), || {
        LayerKey::client(enc, &ephemeral, &hop.x25519).and_then(|key| key.decrypt(&reply).ok())
    });
    let Some(kept) = LayerKey::client(enc, &ephemeral, &hop.x25519) else { return };
    bench.run(&format!("{name}: decrypt reply, key kept, {label} body"), || kept.decrypt(&reply));
}
