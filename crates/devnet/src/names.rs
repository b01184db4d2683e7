//! Registered names (spec 03 §11), as the daemon keeps them: under the hash of the name, the account id encrypted
//! with the name.

use data_encoding::{BASE64, HEXLOWER};
use septet_protocol::crypto::{Random, SystemRandom};
use septet_protocol::id::SessionId;
use septet_protocol::name::Name;
use serde_json::{Value, json};

use crate::network::Seat;

/// What the chain holds for a name.
#[derive(Clone)]
pub(crate) struct NameRecord {
    pub encrypted: Vec<u8>,
    pub nonce: [u8; 24],
}

impl NameRecord {
    /// What someone who registers `name` for an account puts on the chain.
    pub fn register(name: &Name, account: &SessionId) -> Self {
        let nonce = SystemRandom.array();
        Self { encrypted: name.encrypt(account, &nonce), nonce }
    }
}

/// What a node says the chain holds for a name. Who encrypts anew has to know the name: the names registered since the
/// network was started are known, as those a liar guessed.
fn told(seat: &Seat, hash: &[u8; 32]) -> Option<NameRecord> {
    let (truth, faults) = (seat.network.name(hash), seat.node.faults());
    let known = || seat.network.registered(hash);
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
pub(crate) fn resolve(seat: &Seat, params: &Value) -> Result<Value, String> {
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
