//! `retrieve` (spec 03 §9.7).

use data_encoding::BASE64;
use septet_protocol::id::MessageHash;
use serde_json::{Map, Value, json};

use super::auth::{Access, Auth, TOLERANCE, demand_recent};
use super::params::{Params, ParseError, Parsed, at_most_one, require};
use super::reply::{demand_responsible, finish};
use super::request::{Call, Request, Response};
use crate::base64;
use crate::http::Boxed;
use crate::lie::{self, Table};
use crate::namespace::{RESERVED, is_readable_by_all, is_unrevocable};
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::Page;
use crate::stored::StoredMessage;
use crate::version::ServerVersion;

/// The most a reply may hold, bytes.
const MAX_SIZE: i64 = 7_800_000;

#[derive(Clone)]
struct Retrieve {
    account: Pubkey,
    namespace: i16,
    last_hash: Option<MessageHash>,
    max_count: Option<i64>,
    max_size: usize,
    signed: Option<(Auth, u64)>,
}

/// Reads the parameters.
pub(super) fn parse(params: Params<'_>) -> Parsed<Request> {
    let namespace = params.namespace("namespace")?;
    let timestamp = params.timestamp("timestamp")?;
    let mentions_auth =
        ["pubkey_ed25519", "signature", "timestamp"].iter().any(|key| params.get(key).is_some());
    let signed = if mentions_auth || namespace.is_some_and(|namespace| !is_readable_by_all(namespace)) {
        Some((params.auth_or_subaccount(true)?, require("timestamp", timestamp)?))
    } else {
        None
    };
    let (max_count, max_size) = limits(params.integer("max_count")?, params.integer("max_size")?);
    let retrieve = Retrieve {
        account: params.account(true)?,
        namespace: namespace.unwrap_or(0),
        last_hash: last_hash(params)?,
        max_count,
        max_size,
        signed,
    };
    Ok(Request::new("retrieve", retrieve))
}

fn last_hash(params: Params<'_>) -> Parsed<Option<MessageHash>> {
    let (new, old) = (params.string("last_hash")?, params.string("lastHash")?);
    at_most_one("last_hash", new.is_some(), "lastHash", old.is_some())?;
    match old.or(new) {
        None | Some("") => Ok(None),
        Some(text) if text.len() != 43 => {
            Err(ParseError::from("Invalid last_hash: expected base64 (43 chars)"))
        }
        Some(text) if base64::decode(text).is_none() => {
            Err(ParseError::from("Invalid last_hash: not base64"))
        }
        // A text that no message is named by is as good as an unknown hash.
        Some(text) => Ok(text.parse().ok()),
    }
}

/// The number of messages and bytes to give: 0 is unset, a negative size a fraction of the largest.
fn limits(max_count: Option<i64>, max_size: Option<i64>) -> (Option<i64>, usize) {
    let (max_count, max_size) = (max_count.filter(|&count| count != 0), max_size.filter(|&size| size != 0));
    let size = match (max_count, max_size) {
        (_, Some(size)) if size < 0 => MAX_SIZE / size.saturating_neg(),
        (_, Some(size)) => size.min(MAX_SIZE),
        (None, None) => MAX_SIZE / 5,
        (Some(_), None) => MAX_SIZE,
    };
    (max_count, usize::try_from(size).unwrap_or(0))
}

impl Retrieve {
    /// Nothing is ever found there, whoever asks.
    fn is_reserved(&self, seat: &Seat) -> bool {
        self.namespace == RESERVED && seat.network.conduct.version >= ServerVersion::V2_11
    }

    fn check(&self, seat: &Seat) -> Result<(), Response> {
        demand_responsible(seat, &self.account)?;
        if self.is_reserved(seat) {
            return Ok(());
        }
        let Some((auth, timestamp)) = &self.signed else {
            if is_readable_by_all(self.namespace) {
                return Ok(());
            }
            return Err(Response::text(401, "retrieve: request signature required"));
        };
        demand_recent(seat, "retrieve", *timestamp, TOLERANCE)?;
        let namespace = if self.namespace == 0 { String::new() } else { self.namespace.to_string() };
        let message = format!("retrieve{namespace}{timestamp}");
        if auth.verify(seat, Access::READ, is_unrevocable(self.namespace), message.as_bytes()) {
            Ok(())
        } else {
            Err(Response::text(401, "retrieve signature verification failed"))
        }
    }

    /// What the node says it keeps: the truth, unless it lies.
    fn page(&self, seat: &Seat) -> Page {
        let honest = |after: Option<&MessageHash>| {
            let storage = seat.node.storage();
            storage.retrieve(&self.account, self.namespace, after, self.max_count, self.max_size)
        };
        let lies = seat.node.faults().lies;
        if lies.colludes {
            seat.node.count("lie:colludes");
            return Page::default();
        }
        if lies.retrieve.is_empty() {
            return honest(self.last_hash.as_ref());
        }
        let table = Table::of(&seat.node.storage(), &self.account, self.namespace, seat.now());
        let mut aliases = seat.node.aliases();
        let (page, lied) = lie::tell(&lies.retrieve, &mut aliases, &table, self.last_hash, honest);
        if lied {
            seat.node.count("lie:retrieve");
        }
        page
    }

    fn answer(&self, seat: &Seat) -> Response {
        if let Err(refusal) = self.check(seat) {
            return refusal;
        }
        let page = if self.is_reserved(seat) { Page::default() } else { self.page(seat) };
        let messages: Vec<Value> = page.messages.iter().map(message_json).collect();
        let mut reply = Map::new();
        reply.insert("messages".to_owned(), messages.into());
        reply.insert("more".to_owned(), page.more.into());
        Response::json(200, finish(reply, seat))
    }
}

fn message_json(message: &StoredMessage) -> Value {
    json!({
        "hash": message.hash,
        "timestamp": message.timestamp,
        "expiration": message.expiry,
        "data": BASE64.encode(&message.data),
    })
}

impl Call for Retrieve {
    fn account(&self) -> Option<&Pubkey> {
        Some(&self.account)
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let request = self.clone();
        Box::pin(async move { request.answer(&seat) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_the_server() {
        assert_eq!(limits(None, None), (None, 1_560_000));
        assert_eq!(limits(Some(0), Some(0)), (None, 1_560_000));
        assert_eq!(limits(Some(7), None), (Some(7), 7_800_000));
        assert_eq!(limits(None, Some(-7)), (None, 1_114_285));
        assert_eq!(limits(None, Some(9_999_999)), (None, 7_800_000));
        assert_eq!(limits(Some(-1), Some(100)), (Some(-1), 100));
    }
}
