//! Onion requests and single layers.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use septet_protocol::crypto::{Random, Replay, X25519Secret};
use septet_protocol::id::Ed25519Public;
use septet_protocol::onion::{Destination, EncType, Hop, LayerKey, Protocol, ResponseKey, build};

use super::question::{Answer, Question};

/// Answers the operations of this area; `None` for others.
pub fn answer(op: &str, q: &Question) -> Option<Answer<Value>> {
    Some(match op {
        "onion_build" => onion_build(q),
        "onion_response_decrypt" => response_decrypt(q),
        "hop_encrypt" => hop_encrypt(q),
        "hop_decrypt" => hop_decrypt(q),
        _ => return None,
    })
}

fn enc_type(q: &Question) -> Answer<EncType> {
    EncType::parse(q.text("enc_type")?).ok_or_else(|| "unknown enc_type".into())
}

fn hop(q: &Question) -> Answer<Hop> {
    Ok(Hop { ed25519: Ed25519Public(q.array("ed25519_pubkey")?), x25519: q.x25519("x25519_pubkey")? })
}

fn destination(q: &Question) -> Answer<Destination> {
    if q.text("type")? == "snode" {
        return Ok(Destination::Node(hop(q)?));
    }
    Ok(Destination::Server {
        host: q.text("host")?.into(),
        target: q.text("target")?.into(),
        protocol: if q.text("protocol")? == "http" { Protocol::Http } else { Protocol::Https },
        port: q.get("port").as_u64().map(u16::try_from).transpose()?,
        method: "POST".into(),
        x25519: q.x25519("x25519_pubkey")?,
    })
}

fn onion_build(q: &Question) -> Answer<Value> {
    let path = q.parts("hops")?.iter().map(hop).collect::<Answer<Vec<_>>>()?;
    // The first draw is the throw-away key of the innermost layer.
    let innermost = X25519Secret::from_bytes(q.random()?.array());
    let mut rng = q.random()?;
    let to = destination(&q.part("destination"))?;
    let request = build(&path, &to, &q.bytes("payload")?, enc_type(q)?, &mut rng)?;
    rng.finish()?;
    Ok(json!({
        "final_x25519_pubkey": innermost.public(),
        "final_x25519_seckey": q.list("random_draws")?.first().map(|draw| HEXLOWER.encode(draw)),
        "request": HEXLOWER.encode(&request.body),
    }))
}

fn response_decrypt(q: &Question) -> Answer<Value> {
    let ephemeral = X25519Secret::from_bytes(q.array("final_x25519_seckey")?);
    let destination = q.x25519("destination_x25519_pubkey")?;
    let key = ResponseKey::new(enc_type(q)?, &ephemeral, &destination).ok_or("the key is not valid")?;
    Ok(json!({"plaintext": HEXLOWER.encode(&key.open_raw(&q.bytes("ciphertext")?)?)}))
}

/// The key of one layer, from the client's or the node's side.
fn layer(q: &Question) -> Answer<LayerKey> {
    let secret = X25519Secret::from_bytes(q.array("x25519_seckey")?);
    let remote = q.x25519("remote_x25519_pubkey")?;
    let is_node = q.get("server").as_bool().ok_or("server is not true or false")?;
    let side = if is_node { LayerKey::node } else { LayerKey::client };
    side(enc_type(q)?, &secret, &remote).ok_or_else(|| "the key is not valid".into())
}

fn hop_encrypt(q: &Question) -> Answer<Value> {
    let mut rng: Replay = q.random()?;
    let sealed = layer(q)?.encrypt(&q.bytes("plaintext")?, &mut rng);
    rng.finish()?;
    Ok(json!({"ciphertext": HEXLOWER.encode(&sealed)}))
}

fn hop_decrypt(q: &Question) -> Answer<Value> {
    Ok(json!({"plaintext": HEXLOWER.encode(&layer(q)?.decrypt(&q.bytes("ciphertext")?)?)}))
}
