//! Keys, signatures, hashes, sealed messages, names.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use septet_protocol::crypto::session::{
    decrypt_incoming, encrypt_for_recipient, encrypt_for_recipient_deterministic, sign_for_recipient,
};
use septet_protocol::crypto::{Ed25519Secret, Random, X25519Secret, blake2b_any, multi, push, xed25519};
use septet_protocol::id::{Ed25519Public, SessionId, X25519Public};
use septet_protocol::name;

use super::question::{Answer, Question};

/// Answers the operations of this area; `None` for others.
pub fn answer(op: &str, q: &Question) -> Option<Answer<Value>> {
    Some(match op {
        "keypair" => keypair(q),
        "sign_for_recipient" => signed(q),
        "encrypt_for_recipient" => encrypted(q),
        "encrypt_for_recipient_deterministic" => encrypted_deterministic(q),
        "decrypt_incoming" => q.array("recipient_seed").and_then(|seed| decrypted(q, &x25519_of(seed))),
        "decrypt_incoming_x25519" => {
            q.array("x25519_seckey").and_then(|secret| decrypted(q, &X25519Secret::from_bytes(secret)))
        }
        "encrypt_for_multiple_simple" => encrypted_for_many(q),
        "decrypt_for_multiple_simple" => {
            q.x25519("sender_x25519_pubkey").and_then(|key| decrypted_for_many(q, key))
        }
        "decrypt_for_multiple_simple_ed25519" => q.array("sender_ed25519_pubkey").and_then(|key| {
            decrypted_for_many(q, Ed25519Public(key).to_x25519().ok_or("the sender's key is not valid")?)
        }),
        "decrypt_push_notification" => push_notification(q),
        "xed25519_pubkey" => q.x25519("x25519_pubkey").and_then(|key| {
            let converted = xed25519::to_ed25519(&key).ok_or("not a point")?;
            Ok(json!({"ed25519_pubkey": converted}))
        }),
        "xed25519_sign" => xed25519_sign(q),
        "xed25519_verify" => xed25519_verify(q),
        "ed25519_sign" => q.array("seed").and_then(|seed| {
            let signature = Ed25519Secret::from_seed(seed).sign(&q.bytes("message")?);
            Ok(json!({"signature": HEXLOWER.encode(&signature)}))
        }),
        "ed25519_verify" => q.array("pubkey").and_then(|key| {
            let valid = Ed25519Public(key).verify(&q.bytes("message")?, &q.array("signature")?);
            Ok(json!({"valid": valid}))
        }),
        "blake2b" => blake2b(q),
        "ons_decrypt" => ons_decrypt(q),
        _ => return None,
    })
}

fn x25519_of(seed: [u8; 32]) -> X25519Secret {
    Ed25519Secret::from_seed(seed).to_x25519()
}

fn sender(q: &Question) -> Answer<Ed25519Secret> {
    Ok(Ed25519Secret::from_seed(q.array("sender_seed")?))
}

fn keypair(q: &Question) -> Answer<Value> {
    let key = Ed25519Secret::from_seed(q.array("seed")?);
    let x25519 = key.to_x25519();
    Ok(json!({
        "seed": HEXLOWER.encode(key.seed()),
        "ed25519_pubkey": key.public(),
        "ed25519_seckey": format!("{}{}", HEXLOWER.encode(key.seed()), key.public()),
        "x25519_pubkey": x25519.public(),
        "x25519_seckey": HEXLOWER.encode(&*x25519.to_bytes()),
        "session_id": SessionId::from(x25519.public()),
    }))
}

fn signed(q: &Question) -> Answer<Value> {
    let signed = sign_for_recipient(&q.bytes("message")?, &sender(q)?, &q.x25519("recipient")?);
    Ok(json!({"signed": HEXLOWER.encode(&signed)}))
}

fn encrypted(q: &Question) -> Answer<Value> {
    let mut rng = q.random()?;
    let sealed = encrypt_for_recipient(&q.bytes("message")?, &sender(q)?, &q.x25519("recipient")?, &mut rng)?;
    rng.finish()?;
    Ok(json!({"ciphertext": HEXLOWER.encode(&sealed)}))
}

fn encrypted_deterministic(q: &Question) -> Answer<Value> {
    let sealed =
        encrypt_for_recipient_deterministic(&q.bytes("message")?, &sender(q)?, &q.x25519("recipient")?)?;
    Ok(json!({"ciphertext": HEXLOWER.encode(&sealed)}))
}

fn decrypted(q: &Question, me: &X25519Secret) -> Answer<Value> {
    let opened = decrypt_incoming(&q.bytes("ciphertext")?, me)?;
    Ok(json!({
        "message": HEXLOWER.encode(&opened.message),
        "sender_ed25519_pubkey": opened.sender_ed25519,
        "sender_session_id": opened.sender,
    }))
}

fn encrypted_for_many(q: &Question) -> Answer<Value> {
    let recipients: Vec<X25519Public> = q
        .list("recipients")?
        .into_iter()
        .map(|key| key.try_into().map(X25519Public).map_err(|_| "a recipient is not a key"))
        .collect::<Result<_, _>>()?;
    let nonce = match q.optional_bytes("nonce")? {
        Some(nonce) => Some(nonce.try_into().map_err(|_| "the nonce has not 24 bytes")?),
        None => None,
    };
    let messages = q.list("messages")?;
    let mut rng = q.random()?;
    let mut encoded = multi::encrypt_for_multiple(
        &messages,
        &recipients,
        &sender(q)?.to_x25519(),
        q.text("domain")?.as_bytes(),
        nonce,
        0,
        &mut rng,
    )?;
    // The recorded core filled up with entries 16 bytes shorter than ours are today (spec 09 §7.1); all else is equal.
    let pad = (q.number("pad")? as usize).max(1);
    let longest = messages.iter().map(Vec::len).max().unwrap_or_default();
    let end = encoded.split_off(encoded.len() - "ee".len());
    for _ in recipients.len()..recipients.len().next_multiple_of(pad) {
        let mut junk = vec![0; longest];
        rng.fill(&mut junk);
        encoded.extend_from_slice(format!("{longest}:").as_bytes());
        encoded.append(&mut junk);
    }
    encoded.extend(end);
    rng.finish()?;
    Ok(json!({"encoded": HEXLOWER.encode(&encoded)}))
}

fn decrypted_for_many(q: &Question, sender: X25519Public) -> Answer<Value> {
    let me = x25519_of(q.array("recipient_seed")?);
    let found =
        multi::decrypt_for_multiple(&q.bytes("encoded")?, &me, &sender, q.text("domain")?.as_bytes())?;
    Ok(json!({"message": found.map(|message| HEXLOWER.encode(&message))}))
}

fn push_notification(q: &Question) -> Answer<Value> {
    let message = push::decrypt_push_notification(&q.bytes("payload")?, &q.array("enc_key")?)?;
    Ok(json!({"message": HEXLOWER.encode(&message)}))
}

fn xed25519_sign(q: &Question) -> Answer<Value> {
    let mut rng = q.random()?;
    let secret = X25519Secret::from_bytes(q.array("x25519_seckey")?);
    let signature = xed25519::sign(&secret, &q.bytes("message")?, &mut rng);
    rng.finish()?;
    Ok(json!({"signature": HEXLOWER.encode(&signature)}))
}

fn xed25519_verify(q: &Question) -> Answer<Value> {
    let key = q.x25519("x25519_pubkey")?;
    Ok(json!({"valid": xed25519::verify(&key, &q.bytes("message")?, &q.array("signature")?)}))
}

fn blake2b(q: &Question) -> Answer<Value> {
    let key = q.optional_bytes("key")?.unwrap_or_default();
    let hash = blake2b_any(q.number("size")? as usize, &key, &q.bytes("message")?)?;
    Ok(json!({"hash": HEXLOWER.encode(&hash)}))
}

fn ons_decrypt(q: &Question) -> Answer<Value> {
    let nonce = q.array("nonce")?;
    let account = name::decrypt_value(q.text("name")?, &q.bytes("ciphertext")?, Some(&nonce))?;
    Ok(json!({"session_id": account}))
}
