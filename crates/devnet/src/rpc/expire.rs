//! `expire`, `expire_all` and `get_expiries` (spec 03 §9.11–§9.13).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use septet_protocol::id::MessageHash;
use serde_json::{Map, Value, json};

use super::auth::{Access, Auth, TOLERANCE, TOLERANCE_FORWARDED, demand_recent};
use super::delete::{joined, scope_entry, scope_text};
use super::params::{Hash, Params, ParseError, Parsed, require};
use super::reply::demand_responsible;
use super::request::{Call, Request, Response};
use super::spread::{Spread, Work};
use super::store::MAX_TTL;
use crate::http::Boxed;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::{ExpiryRule, Scope, Storage};
use crate::version::ServerVersion;

struct Expire {
    auth: Auth,
    hashes: Vec<Hash>,
    /// One for all, or one for each hash.
    expiries: Vec<u64>,
    rule: ExpiryRule,
}

/// Reads the parameters of `expire`.
pub(super) fn parse(params: Params<'_>) -> Parsed<Request> {
    let expiries = params.timestamps("expiry")?;
    let (extend, shorten) = (params.boolean("extend")?, params.boolean("shorten")?);
    let auth = params.auth_or_subaccount(false)?;
    let expiries = require("expiry", expiries)?;
    if expiries.is_empty() {
        return Err("'expiry' does not contain any expiration timestamps".into());
    }
    let rule = match (shorten, extend) {
        (true, true) => return Err("cannot specify both 'shorten' and 'extend'".into()),
        (true, false) => ExpiryRule::ShortenOnly,
        (false, true) => ExpiryRule::ExtendOnly,
        (false, false) => ExpiryRule::Set,
    };
    let hashes = params.hashes()?;
    if expiries.len() > 1 && expiries.len() != hashes.len() {
        return Err("'expiry' must be a single expiry, or the same length as 'messages'".into());
    }
    Ok(Request::new("expire", Spread(Arc::new(Expire { auth, hashes, expiries, rule }))))
}

impl Expire {
    fn signed_text(&self) -> String {
        let rule = match self.rule {
            ExpiryRule::Set => "",
            ExpiryRule::ShortenOnly => "shorten",
            ExpiryRule::ExtendOnly => "extend",
        };
        let expiries: String = self.expiries.iter().map(u64::to_string).collect();
        format!("expire{rule}{expiries}{}", joined(&self.hashes))
    }

    /// The expiry of each hash, none later than the longest lifetime allows.
    fn capped(&self, seat: &Seat) -> Vec<u64> {
        let latest = seat.now().saturating_add_signed(MAX_TTL);
        self.expiries.iter().map(|&expiry| expiry.min(latest)).collect()
    }

    /// Without the right to delete, a subaccount may only extend.
    fn may_shorten(&self) -> bool {
        self.auth.subaccount.as_ref().is_none_or(|subaccount| subaccount.allows(Access::DELETE))
    }

    /// Sets what may be set; hash and new expiry of each message changed.
    fn update(&self, storage: &mut Storage, expiries: &[u64]) -> BTreeMap<String, u64> {
        let rule = if self.may_shorten() { self.rule } else { ExpiryRule::ExtendOnly };
        let mut updated = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (hash, &expiry) in self.hashes.iter().zip(expiries.iter().cycle()) {
            let first = expiries.len() > 1 || seen.insert(hash.as_str());
            if first
                && let Some(id) = hash.id()
                && storage.expire(&self.auth.account, &id, expiry, rule)
            {
                updated.insert(hash.as_str().to_owned(), expiry);
            }
        }
        updated
    }

    /// Messages that are here and were left alone.
    fn unchanged(&self, storage: &Storage, updated: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let left = self.hashes.iter().filter(|hash| !updated.contains_key(hash.as_str()));
        left.filter_map(|hash| {
            let expiry = storage.expiry(&self.auth.account, &hash.id()?)?;
            Some((hash.as_str().to_owned(), expiry))
        })
        .collect()
    }
}

impl Work for Expire {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, _forwarded: bool) -> Result<(), Response> {
        let earliest = seat.now().saturating_sub(TOLERANCE);
        if self.expiries.iter().any(|&expiry| expiry < earliest) {
            return Err(Response::text(401, "expire: timestamp should be >= current time"));
        }
        let (message, refusal) = (self.signed_text(), "expire: signature verification failed");
        self.auth.demand(seat, Access::WRITE, message.as_bytes(), refusal)?;
        if self.rule == ExpiryRule::ShortenOnly && !self.may_shorten() {
            let text =
                "expire: shorten parameter cannot be used with this subaccount token (missing delete access)";
            return Err(Response::text(400, text));
        }
        Ok(())
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let expiries = self.capped(seat);
        let updated = self.update(storage, &expiries);
        let several = expiries.len() > 1;
        let listed: Vec<u64> = if several { updated.values().copied().collect() } else { expiries };
        let mut signed = self.auth.account.hex();
        signed.extend(listed.iter().map(u64::to_string));
        signed += &joined(&self.hashes);
        signed.extend(updated.keys().map(String::as_str));
        let mut entry = Map::new();
        if self.rule != ExpiryRule::Set {
            let unchanged = self.unchanged(storage, &updated);
            signed.extend(unchanged.iter().map(|(hash, expiry)| format!("{hash}{expiry}")));
            entry.insert("unchanged".to_owned(), json!(unchanged));
        }
        let expiry = if several { json!(listed) } else { json!(listed.first()) };
        entry.insert("expiry".to_owned(), expiry);
        entry.insert("updated".to_owned(), updated.into_keys().collect::<Vec<_>>().into());
        entry.insert("signature".to_owned(), seat.node.sign(signed.as_bytes()).into());
        entry
    }
}

struct ExpireAll {
    auth: Auth,
    scope: Scope,
    expiry: u64,
}

/// Reads the parameters of `expire_all`.
pub(super) fn parse_all(params: Params<'_>) -> Parsed<Request> {
    let (expiry, scope) = (params.timestamp("expiry")?, params.scope("namespace")?);
    let auth = params.auth_or_subaccount(false)?;
    let request = ExpireAll { auth, scope, expiry: require("expiry", expiry)? };
    Ok(Request::new("expire_all", Spread(Arc::new(request))))
}

impl Work for ExpireAll {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, forwarded: bool) -> Result<(), Response> {
        let tolerance = if forwarded { TOLERANCE_FORWARDED } else { TOLERANCE };
        if self.expiry < seat.now().saturating_sub(tolerance) {
            return Err(Response::text(406, "expire_all timestamp should be >= current time"));
        }
        let message = format!("expire_all{}{}", scope_text(self.scope), self.expiry);
        self.auth.demand(seat, Access::DELETE, message.as_bytes(), "expire_all signature verification failed")
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let updated = storage.expire_scope(&self.auth.account, self.scope, self.expiry);
        scope_entry(seat, &self.auth.account, self.expiry, "updated", self.scope, updated)
    }
}

#[derive(Clone)]
struct GetExpiries {
    auth: Auth,
    hashes: Vec<String>,
    timestamp: u64,
}

/// Reads the parameters of `get_expiries`.
pub(super) fn parse_get(params: Params<'_>) -> Parsed<Request> {
    let (hashes, timestamp) = (params.strings("messages")?, params.timestamp("timestamp")?);
    let auth = params.auth_or_subaccount(false)?;
    let timestamp = require("timestamp", timestamp)?;
    let hashes = require("messages", hashes)?;
    if hashes.is_empty() {
        return Err(ParseError::from("messages does not contain any message hashes"));
    }
    Ok(Request::new("get_expiries", GetExpiries { auth, hashes, timestamp }))
}

impl GetExpiries {
    /// `all` instead of hashes (spec 09 §4.4); for older servers a hash that nothing has.
    fn is_about_all(&self, seat: &Seat) -> bool {
        seat.network.conduct.version >= ServerVersion::V2_11 && self.hashes == ["all"]
    }

    fn check(&self, seat: &Seat) -> Result<(), Response> {
        demand_responsible(seat, &self.auth.account)?;
        demand_recent(seat, "get_expiries", self.timestamp, TOLERANCE)?;
        let message = format!("get_expiries{}{}", self.timestamp, self.hashes.concat());
        self.auth.demand(seat, Access::READ, message.as_bytes(), "get_expiries signature verification failed")
    }

    fn answer(&self, seat: &Seat) -> Response {
        if let Err(refusal) = self.check(seat) {
            return refusal;
        }
        let storage = seat.node.storage();
        let expiry = |hash: &String| {
            let id: MessageHash = hash.parse().ok()?;
            Some((hash.clone(), storage.expiry(&self.auth.account, &id)?))
        };
        let expiries: BTreeMap<String, u64> = if self.is_about_all(seat) {
            storage.all_expiries(&self.auth.account)
        } else {
            self.hashes.iter().filter_map(expiry).collect()
        };
        Response::json(200, json!({ "expiries": expiries }))
    }
}

impl Call for GetExpiries {
    fn account(&self) -> Option<&Pubkey> {
        Some(&self.auth.account)
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let request = self.clone();
        Box::pin(async move { request.answer(&seat) })
    }
}
