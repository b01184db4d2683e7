//! `store` (spec 03 §9.6).

use std::sync::Arc;

use septet_protocol::id::{MessageHash, Namespace};
use serde_json::{Map, Value};

use super::auth::{Access, Auth, TOLERANCE};
use super::params::{Params, ParseError, Parsed, at_most_one, require};
use super::request::{Request, Response};
use super::spread::{Spread, Work};
use crate::base64;
use crate::lie::{Claim, Lies};
use crate::namespace::{RESERVED, is_public_outbox};
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::{Storage, Stored};
use crate::stored::{StoredMessage, message_hash};
use crate::version::ServerVersion;

/// The largest message, bytes.
const MAX_DATA: usize = 76_800;
/// How far timestamps may be wrong, ms.
const STORE_TOLERANCE: i64 = 10_000;
/// The shortest lifetime, ms.
const MIN_TTL: i64 = 10_000;
/// The longest lifetime in a public inbox, ms: 14 days.
const MAX_TTL_PUBLIC: i64 = 14 * 86_400_000;
/// The longest lifetime elsewhere, ms: 30 days.
pub(super) const MAX_TTL: i64 = 30 * 86_400_000;

struct Store {
    account: Pubkey,
    namespace: Namespace,
    timestamp: i64,
    expiry: i64,
    data: Arc<[u8]>,
    hash: MessageHash,
    signed: Option<(Auth, i64)>,
}

/// Reads the parameters.
pub(super) fn parse(params: Params<'_>) -> Parsed<Request> {
    let expiry = params.timestamp("expiry")?.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    let namespace = Namespace(params.namespace("namespace")?.unwrap_or(0));
    let sig_timestamp = params.timestamp("sig_timestamp")?.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    let timestamp = params.integer_or_text("timestamp")?;
    let ttl = params.unsigned_or_text("ttl")?;
    let timestamp = require("timestamp", timestamp)?;
    at_most_one("expiry", expiry.is_some(), "ttl", ttl.is_some())?;
    let expiry = expiry
        .or(ttl.map(|ttl| timestamp.saturating_add(ttl)))
        .ok_or(ParseError::from("Required field 'expiry' or 'ttl' missing"))?;
    let account = params.account(true)?;
    let signed = match params.string("signature")? {
        Some(_) => Some((params.auth_or_subaccount(true)?, sig_timestamp.unwrap_or(timestamp))),
        None => None,
    };
    let data = parse_data(require("data", params.string("data")?)?)?;
    let hash = message_hash(&account, namespace, &data);
    let store = Store { account, namespace, timestamp, expiry, data: data.into(), hash, signed };
    Ok(Request::new("store", Spread(Arc::new(store))))
}

fn parse_data(text: &str) -> Parsed<Vec<u8>> {
    let too_large = text.len() > MAX_DATA / 3 * 4;
    let data = base64::decode(text).ok_or(ParseError::from("Invalid 'data' value: not base64 encoded"))?;
    if too_large {
        return Err(ParseError(format!("Message body exceeds maximum allowed length of {MAX_DATA} bytes")));
    }
    Ok(data)
}

impl Store {
    fn check_times(&self, now: i64) -> Result<(), Response> {
        let longest = if self.namespace.is_public_inbox() { MAX_TTL_PUBLIC } else { MAX_TTL };
        let ttl = self.expiry.saturating_sub(self.timestamp);
        if ttl < MIN_TTL || ttl > longest {
            return Err(Response::text(403, "Provided expiry/TTL is not valid."));
        }
        if self.timestamp > now + STORE_TOLERANCE || self.expiry < now - STORE_TOLERANCE {
            return Err(Response::text(406, "Timestamp error: check your clock"));
        }
        Ok(())
    }

    /// Whether a newer message is in the outbox already, which then stays (spec 09 §4.2; server 2.11).
    fn is_outdated(&self, seat: &Seat, storage: &Storage) -> bool {
        let newer =
            |kept: StoredMessage| i64::try_from(kept.timestamp).is_ok_and(|kept| kept > self.timestamp);
        seat.network.conduct.version >= ServerVersion::V2_11
            && is_public_outbox(self.namespace.0)
            && storage.messages(&self.account, self.namespace.0).into_iter().any(newer)
    }

    fn check_signature(&self, seat: &Seat, now: i64) -> Result<(), Response> {
        let namespace = self.namespace.0;
        let Some((auth, timestamp)) = &self.signed else {
            let text = format!("store: signature required to store to namespace {namespace}");
            return Err(Response::text(401, text));
        };
        if now.abs_diff(*timestamp) > TOLERANCE {
            return Err(Response::text(406, "store signature timestamp too far from current time"));
        }
        // Storing to an outbox removes what was there.
        let outbox = is_public_outbox(namespace);
        let access = if outbox { Access::WRITE.and(Access::DELETE) } else { Access::WRITE };
        let message = format!("store{namespace}{timestamp}");
        auth.demand(seat, access, message.as_bytes(), "store signature verification failed")
    }
}

impl Work for Store {
    fn account(&self) -> &Pubkey {
        &self.account
    }

    fn check(&self, seat: &Seat, _forwarded: bool) -> Result<(), Response> {
        if self.namespace.0 == RESERVED && seat.network.conduct.version >= ServerVersion::V2_11 {
            return Err(Response::text(403, format!("store: namespace {RESERVED} is reserved")));
        }
        let now = i64::try_from(seat.now()).unwrap_or(i64::MAX);
        self.check_times(now)?;
        if self.namespace.is_public_inbox() { Ok(()) } else { self.check_signature(seat, now) }
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let message = StoredMessage {
            hash: self.hash,
            namespace: self.namespace.0,
            timestamp: u64::try_from(self.timestamp).unwrap_or(0),
            expiry: u64::try_from(self.expiry).unwrap_or(0),
            data: Arc::clone(&self.data),
        };
        let stored = if self.is_outdated(seat, storage) {
            Stored { already: false, expiry: message.expiry }
        } else {
            storage.store(self.account, message)
        };
        let hash = self.hash.to_string();
        let mut entry = Map::new();
        entry.insert("signature".to_owned(), seat.node.sign(hash.as_bytes()).into());
        entry.insert("hash".to_owned(), hash.into());
        entry.insert("expiry".to_owned(), stored.expiry.into());
        if stored.already {
            entry.insert("already".to_owned(), true.into());
        }
        entry
    }

    fn decorate(&self, seat: &Seat, own: &mut Map<String, Value>, reply: &mut Map<String, Value>) {
        own.insert("t".to_owned(), seat.told_time().into());
        reply.insert(
            "hash".to_owned(),
            own.get("hash").cloned().unwrap_or_else(|| self.hash.to_string().into()),
        );
    }

    fn claim(&self, lies: &Lies) -> Option<Claim> {
        lies.store.map(Claim::Store)
    }

    fn answered(&self, seat: &Seat, reply: &Map<String, Value>) {
        *seat.node.last_store() = Some(reply.clone());
    }
}
