//! `delete`, `delete_all` and `delete_before` (spec 03 §9.8–§9.10).

use std::collections::BTreeMap;
use std::sync::Arc;

use septet_protocol::id::MessageHash;
use serde_json::{Map, Value};

use super::auth::{Access, Auth, TOLERANCE, TOLERANCE_FORWARDED, demand_recent};
use super::params::{Hash, Params, Parsed, require};
use super::reply::demand_responsible;
use super::request::{Call, Request, Response};
use super::spread::{Spread, Work};
use crate::http::Boxed;
use crate::lie::{Claim, Lies};
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::{Scope, Storage};
use crate::version::ServerVersion;

struct Delete {
    auth: Auth,
    hashes: Vec<Hash>,
    required: bool,
}

/// Reads the parameters of `delete`.
pub(super) fn parse(params: Params<'_>) -> Parsed<Request> {
    let required = params.boolean("required")?;
    let delete = Delete { auth: params.auth_or_subaccount(false)?, hashes: params.hashes()?, required };
    Ok(Request::new("delete", Spread(Arc::new(delete))))
}

/// Requested hashes one after the other, as they are signed.
pub(super) fn joined(hashes: &[Hash]) -> String {
    hashes.iter().map(Hash::as_str).collect()
}

impl Work for Delete {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, _forwarded: bool) -> Result<(), Response> {
        let message = format!("delete{}", joined(&self.hashes));
        self.auth.demand(
            seat,
            Access::DELETE,
            message.as_bytes(),
            "delete_msgs signature verification failed",
        )
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let ids: Vec<MessageHash> = self.hashes.iter().filter_map(Hash::id).collect();
        let deleted = storage.delete(&self.auth.account, &ids);
        let mut signed = self.auth.account.hex() + &joined(&self.hashes);
        signed.extend(deleted.iter().map(String::as_str));
        let deleted: Vec<String> = deleted.into_iter().collect();
        entry("deleted", deleted.into(), seat.node.sign(signed.as_bytes()))
    }

    fn status(&self, entries: &Map<String, Value>) -> u16 {
        let empty = |entry: &Value| entry.get("deleted").and_then(Value::as_array).is_none_or(Vec::is_empty);
        if self.required && entries.values().all(empty) { 404 } else { 200 }
    }

    fn claim(&self, lies: &Lies) -> Option<Claim> {
        lies.delete.then_some(Claim::Delete)
    }
}

fn entry(key: &str, value: Value, signature: String) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert(key.to_owned(), value);
    entry.insert("signature".to_owned(), signature.into());
    entry
}

/// How a scope is written in signed texts: nothing, the number, or `all`.
pub(super) fn scope_text(scope: Scope) -> String {
    match scope {
        Scope::One(0) => String::new(),
        Scope::One(namespace) => namespace.to_string(),
        Scope::All => "all".to_owned(),
    }
}

/// The entry of a request about whole namespaces: sorted hashes, by namespace if all of them were meant, signed
/// together with the account and the number that was requested.
pub(super) fn scope_entry(
    seat: &Seat,
    account: &Pubkey,
    number: u64,
    key: &str,
    scope: Scope,
    affected: Vec<(i16, MessageHash)>,
) -> Map<String, Value> {
    let mut affected: Vec<(i16, String)> =
        affected.into_iter().map(|(namespace, hash)| (namespace, hash.to_string())).collect();
    affected.sort_by(|(_, a), (_, b)| a.cmp(b));
    let mut signed = format!("{}{number}", account.hex());
    signed.extend(affected.iter().map(|(_, hash)| hash.as_str()));
    let listed = match scope {
        Scope::One(_) => affected.into_iter().map(|(_, hash)| Value::String(hash)).collect(),
        Scope::All => {
            let mut by_namespace: BTreeMap<i16, Vec<String>> = BTreeMap::new();
            for (namespace, hash) in affected {
                by_namespace.entry(namespace).or_default().push(hash);
            }
            by_namespace
                .into_iter()
                .map(|(namespace, hashes)| (namespace.to_string(), Value::from(hashes)))
                .collect()
        }
    };
    entry(key, listed, seat.node.sign(signed.as_bytes()))
}

struct DeleteAll {
    auth: Auth,
    scope: Scope,
    timestamp: u64,
}

/// Reads the parameters of `delete_all`.
pub(super) fn parse_all(params: Params<'_>) -> Parsed<Request> {
    let (scope, timestamp) = (params.scope("namespace")?, params.timestamp("timestamp")?);
    let auth = params.auth_or_subaccount(false)?;
    let delete = DeleteAll { auth, scope, timestamp: require("timestamp", timestamp)? };
    Ok(Request::new("delete_all", Spread(Arc::new(delete))))
}

impl Work for DeleteAll {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, forwarded: bool) -> Result<(), Response> {
        let tolerance = if forwarded { TOLERANCE_FORWARDED } else { TOLERANCE };
        demand_recent(seat, "delete_all", self.timestamp, tolerance)?;
        let message = format!("delete_all{}{}", scope_text(self.scope), self.timestamp);
        self.auth.demand(seat, Access::DELETE, message.as_bytes(), "delete_all signature verification failed")
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let deleted = storage.delete_scope(&self.auth.account, self.scope, None);
        scope_entry(seat, &self.auth.account, self.timestamp, "deleted", self.scope, deleted)
    }

    fn claim(&self, lies: &Lies) -> Option<Claim> {
        lies.delete.then_some(Claim::Delete)
    }
}

struct DeleteBefore {
    auth: Auth,
    scope: Scope,
    before: u64,
}

/// Reads the parameters of `delete_before`.
pub(super) fn parse_before(params: Params<'_>, version: ServerVersion) -> Parsed<Request> {
    let (before, scope) = (params.timestamp("before")?, params.scope("namespace")?);
    let auth = params.auth_or_subaccount(false)?;
    let before = require("before", before)?;
    Ok(if scope == Scope::All && version < ServerVersion::V2_11 {
        Request::new("delete_before", DeleteBeforeEverywhere { auth, before })
    } else {
        Request::new("delete_before", Spread(Arc::new(DeleteBefore { auth, scope, before })))
    })
}

fn check_before(auth: &Auth, seat: &Seat, scope: &str, before: u64) -> Result<(), Response> {
    if before > seat.now().saturating_add(TOLERANCE) {
        return Err(Response::text(401, "delete_before timestamp too far in the future"));
    }
    let message = format!("delete_before{scope}{before}");
    auth.demand(seat, Access::DELETE, message.as_bytes(), "delete_before signature verification failed")
}

impl Work for DeleteBefore {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, _forwarded: bool) -> Result<(), Response> {
        check_before(&self.auth, seat, &scope_text(self.scope), self.before)
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let deleted = storage.delete_scope(&self.auth.account, self.scope, Some(self.before));
        scope_entry(seat, &self.auth.account, self.before, "deleted", self.scope, deleted)
    }

    fn claim(&self, lies: &Lies) -> Option<Claim> {
        lies.delete.then_some(Claim::Delete)
    }
}

/// `delete_before` with `all`, which server 2.8.0 answers with its text for unexpected errors (spec 03 §9.10).
#[derive(Clone)]
struct DeleteBeforeEverywhere {
    auth: Auth,
    before: u64,
}

impl Call for DeleteBeforeEverywhere {
    fn account(&self) -> Option<&Pubkey> {
        Some(&self.auth.account)
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let request = self.clone();
        Box::pin(async move {
            let allowed = demand_responsible(&seat, &request.auth.account)
                .and_then(|()| check_before(&request.auth, &seat, "all", request.before));
            allowed.err().unwrap_or_else(|| Response::text(500, "request failed"))
        })
    }
}
