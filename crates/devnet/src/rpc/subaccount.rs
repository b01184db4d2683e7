//! `revoke_subaccount`, `unrevoke_subaccount` (spec 03 §9.14) and `revoked_subaccounts` (spec 09 §4.4).

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::auth::{Access, Auth, TOLERANCE, demand_recent};
use super::params::{Params, Parsed, require};
use super::reply::{demand_responsible, finish};
use super::request::{Call, Request, Response};
use super::spread::{Spread, Work};
use crate::http::Boxed;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::Storage;
use crate::stored::Token;

struct Revocation {
    auth: Auth,
    timestamp: u64,
    tokens: Vec<Token>,
    undo: bool,
}

/// Reads the parameters of `revoke_subaccount`.
pub(super) fn parse_revoke(params: Params<'_>) -> Parsed<Request> {
    let timestamp = params.timestamp("timestamp")?;
    let auth = params.auth(false)?;
    let tokens = params.tokens("revoke")?;
    let timestamp = require("timestamp", timestamp)?;
    let request = Revocation { auth, timestamp, tokens, undo: false };
    Ok(Request::new("revoke_subaccount", Spread(Arc::new(request))))
}

/// Reads the parameters of `unrevoke_subaccount`.
pub(super) fn parse_unrevoke(params: Params<'_>) -> Parsed<Request> {
    let timestamp = params.timestamp("timestamp")?;
    let auth = params.auth(false)?;
    let timestamp = require("timestamp", timestamp)?;
    let tokens = params.tokens("unrevoke")?;
    let request = Revocation { auth, timestamp, tokens, undo: true };
    Ok(Request::new("unrevoke_subaccount", Spread(Arc::new(request))))
}

impl Revocation {
    fn method(&self) -> &'static str {
        if self.undo { "unrevoke_subaccount" } else { "revoke_subaccount" }
    }

    /// `head`, the timestamp and the raw tokens: how both sides sign.
    fn signed(&self, head: &str) -> Vec<u8> {
        let mut message = format!("{head}{}", self.timestamp).into_bytes();
        message.extend(self.tokens.iter().flatten());
        message
    }
}

impl Work for Revocation {
    fn account(&self) -> &Pubkey {
        &self.auth.account
    }

    fn check(&self, seat: &Seat, _forwarded: bool) -> Result<(), Response> {
        let method = self.method();
        demand_recent(seat, method, self.timestamp, TOLERANCE)?;
        let refusal = format!("{method} signature verification failed");
        self.auth.demand(seat, Access::OWNER, &self.signed(method), &refusal)
    }

    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value> {
        let mut entry = Map::new();
        let account = self.auth.account;
        if self.undo {
            let count = storage.unrevoke(account, &self.tokens);
            entry.insert("count".to_owned(), count.into());
        } else {
            storage.revoke(account, &self.tokens);
        }
        let signature = seat.node.sign(&self.signed(&account.hex()));
        entry.insert("signature".to_owned(), signature.into());
        entry
    }
}

/// Which tokens are revoked; asked of one node, by the owner.
#[derive(Clone)]
struct Revoked {
    auth: Auth,
    timestamp: u64,
}

/// Reads the parameters of `revoked_subaccounts`.
pub(super) fn parse_list(params: Params<'_>) -> Parsed<Request> {
    let timestamp = params.timestamp("timestamp")?;
    let auth = params.auth(false)?;
    let timestamp = require("timestamp", timestamp)?;
    Ok(Request::new("revoked_subaccounts", Revoked { auth, timestamp }))
}

impl Revoked {
    fn check(&self, seat: &Seat) -> Result<(), Response> {
        demand_responsible(seat, &self.auth.account)?;
        demand_recent(seat, "revoked_subaccounts", self.timestamp, TOLERANCE)?;
        let message = format!("revoked_subaccounts{}", self.timestamp);
        let refusal = "revoked_subaccounts signature verification failed";
        self.auth.demand(seat, Access::OWNER, message.as_bytes(), refusal)
    }

    fn answer(&self, seat: &Seat) -> Response {
        if let Err(refusal) = self.check(seat) {
            return refusal;
        }
        let tokens = seat.node.storage().revoked(&self.auth.account);
        let tokens: Vec<String> = tokens.iter().map(|token| BASE64.encode(token)).collect();
        let mut reply = Map::new();
        reply.insert("revoked_subaccounts".to_owned(), tokens.into());
        Response::json(200, finish(reply, seat))
    }
}

impl Call for Revoked {
    fn account(&self) -> Option<&Pubkey> {
        Some(&self.auth.account)
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let request = self.clone();
        Box::pin(async move { request.answer(&seat) })
    }
}
