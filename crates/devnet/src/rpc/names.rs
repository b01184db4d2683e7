//! Names, as a node tells of them: `ons_resolve` (spec 03 §11).

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use crate::seat::Seat;
use crate::stored::NameRecord;

/// What a node says the chain holds for a name. Who encrypts anew has to know the name: the names registered since the
/// network was started are known, as those a liar guessed.
fn told(seat: &Seat, hash: &[u8; 32]) -> Option<NameRecord> {
    let (truth, faults) = (seat.network.names.record(hash), seat.node.faults());
    let known = || seat.network.names.in_clear(hash);
    let Some(lie) = faults.lies.name else {
        let anew = known().filter(|_| faults.new_nonces);
        return anew.map(|(name, account)| NameRecord::register(&name, &account)).or(truth);
    };
    if truth.is_some() {
        seat.node.count("lie:name");
    }
    lie.and_then(|account| Some(NameRecord::register(&known()?.0, &account)))
}

/// Answers `ons_resolve`; the text of a refusal otherwise.
pub(super) fn resolve(seat: &Seat, params: &Value) -> Result<Value, String> {
    if params.get("type").and_then(Value::as_u64) != Some(0) {
        return Err("Invalid ONS type".to_owned());
    }
    let hash = params.get("name_hash").and_then(Value::as_str).and_then(parse_hash);
    let hash = hash.ok_or_else(|| "Invalid ONS name hash".to_owned())?;
    Ok(match told(seat, &hash) {
        Some(record) => json!({
            "encrypted_value": HEXLOWER.encode(&record.encrypted),
            "nonce": HEXLOWER.encode(&record.nonce),
        }),
        None => json!({}),
    })
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.len() {
        64 => HEXLOWER.decode(text.as_bytes()).ok()?,
        _ => BASE64.decode(text.as_bytes()).ok()?,
    };
    bytes.try_into().ok()
}
