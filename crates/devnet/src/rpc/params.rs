//! Reading request parameters exactly as strictly as the official server, with its texts (spec 03 §9.1).
//!
//! `null` counts as absent, unknown keys are ignored, booleans and integers must really be such.

use septet_protocol::id::{Ed25519Public, MessageHash};
use serde_json::{Map, Value};

use super::auth::{Auth, Subaccount};
use crate::base64;
use crate::pubkey::Pubkey;
use crate::storage::Scope;
use crate::stored::Token;

/// Why a request cannot be understood; goes back as 400 `invalid request: …`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ParseError(pub String);

impl ParseError {
    fn missing(name: &str) -> Self {
        Self(format!("Required field '{name}' missing"))
    }

    fn expected(name: &str, kind: &str) -> Self {
        Self(format!("Invalid value given for '{name}': expected {kind}"))
    }
}

impl From<&str> for ParseError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A result of reading parameters.
pub(crate) type Parsed<T> = Result<T, ParseError>;

/// A required field must be there.
pub(crate) fn require<T>(name: &str, value: Option<T>) -> Parsed<T> {
    value.ok_or_else(|| ParseError::missing(name))
}

/// The smallest timestamp taken for milliseconds.
const LEAST_TIMESTAMP: u64 = 1_000_000_000;

/// The `params` object of a request.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a>(pub &'a Map<String, Value>);

impl<'a> Params<'a> {
    /// The value of a field that is neither absent nor `null`.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Parsed<Option<T>> {
        self.get(name).map(|value| read(value).ok_or_else(|| ParseError::expected(name, kind))).transpose()
    }

    pub fn string(self, name: &str) -> Parsed<Option<&'a str>> {
        self.typed(name, "string", Value::as_str)
    }

    pub fn boolean(self, name: &str) -> Parsed<bool> {
        Ok(self.typed(name, "boolean", Value::as_bool)?.unwrap_or(false))
    }

    pub fn integer(self, name: &str) -> Parsed<Option<i64>> {
        self.typed(name, "integer", as_integer)
    }

    /// Unix milliseconds.
    pub fn timestamp(self, name: &str) -> Parsed<Option<u64>> {
        match self.typed(name, "integer timestamp (in milliseconds)", Value::as_u64)? {
            Some(ms) if ms < LEAST_TIMESTAMP => {
                Err(ParseError(format!("Invalid timestamp for '{name}': timestamp must be in milliseconds")))
            }
            ms => Ok(ms),
        }
    }

    /// One timestamp or an array of them; no lower bound here.
    pub fn timestamps(self, name: &str) -> Parsed<Option<Vec<u64>>> {
        self.typed(name, "timestamp array", |value| match value {
            Value::Array(values) => values.iter().map(Value::as_u64).collect(),
            value => value.as_u64().map(|ms| vec![ms]),
        })
    }

    /// One string or an array of them.
    pub fn strings(self, name: &str) -> Parsed<Option<Vec<String>>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.typed(name, "string array", |value| match value {
            Value::Array(values) => values.iter().map(text).collect(),
            value => text(value).map(|text| vec![text]),
        })
    }

    /// One integer or an array of them.
    pub fn integers(self, name: &str) -> Parsed<Option<Vec<i64>>> {
        self.typed(name, "integer array", |value| match value {
            Value::Array(values) => values.iter().map(as_integer).collect(),
            value => as_integer(value).map(|number| vec![number]),
        })
    }

    /// An integer that old clients send as text (`store` only).
    pub fn integer_or_text(self, name: &str) -> Parsed<Option<i64>> {
        match self.get(name) {
            Some(Value::String(text)) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => {
                    let shown = Value::from(text.as_str());
                    Err(ParseError(format!("Invalid value given for '{name}': {shown}")))
                }
            },
            Some(value) => as_integer(value).map(Some).ok_or_else(|| ParseError::expected(name, "integer")),
            None => Ok(None),
        }
    }

    /// As [`Params::integer_or_text`], but not negative.
    pub fn unsigned_or_text(self, name: &str) -> Parsed<Option<i64>> {
        match self.integer_or_text(name)? {
            Some(number) if number < 0 => Err(ParseError::expected(name, "positive integer")),
            number => Ok(number),
        }
    }

    /// A namespace, if given.
    pub fn namespace(self, name: &str) -> Parsed<Option<i16>> {
        match self.typed(name, "16-bit integer", as_integer)? {
            Some(number) => in_range(name, number).map(Some),
            None => Ok(None),
        }
    }

    /// A namespace or `"all"`; 0 if absent.
    pub fn scope(self, name: &str) -> Parsed<Scope> {
        let kind = "integer or \"all\"";
        match self.get(name) {
            None => Ok(Scope::One(0)),
            Some(Value::String(text)) if text == "all" => Ok(Scope::All),
            Some(value) => {
                let number = as_integer(value).ok_or_else(|| ParseError::expected(name, kind))?;
                in_range(name, number).map(Scope::One)
            }
        }
    }

    /// The account, of which `pubKey` is an old spelling (where `alias` allows it).
    pub fn account(self, alias: bool) -> Parsed<Pubkey> {
        let pubkey = self.string("pubkey")?;
        let old = if alias { self.string("pubKey")? } else { None };
        at_most_one("pubkey", pubkey.is_some(), "pubKey", old.is_some())?;
        let text = require("pubkey", pubkey.or(old))?;
        Pubkey::parse(text).ok_or_else(|| "Pubkey must be 66 hex digits (33 bytes) long".into())
    }

    /// Account, signature and what belongs to it; the signature is not verified yet.
    pub fn auth(self, alias: bool) -> Parsed<Auth> {
        let account = self.account(alias)?;
        let signature = require("signature", self.string("signature")?)?;
        let ed25519 = match self.string("pubkey_ed25519")? {
            Some(text) => Some(ed25519(&account, text)?),
            None => None,
        };
        let signature = base64::signature(signature)
            .ok_or(ParseError::from("invalid signature: expected base64 encoded Ed25519 signature"))?;
        Ok(Auth { account, ed25519, signature, subaccount: None })
    }

    /// As [`Params::auth`], where a subaccount may sign instead.
    pub fn auth_or_subaccount(self, alias: bool) -> Parsed<Auth> {
        Ok(Auth { subaccount: self.subaccount()?, ..self.auth(alias)? })
    }

    fn subaccount(self) -> Parsed<Option<Subaccount>> {
        let (token, signature) = (self.string("subaccount")?, self.string("subaccount_sig")?);
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        let signature = signature.ok_or(ParseError::from(
            "invalid subaccount: subaccount_sig is required when using subaccount",
        ))?;
        let token = parse_token(token)
            .ok_or(ParseError::from("invalid subaccount: expected base64 or hex-encoded subaccount token"))?;
        let signature = base64::signature(signature).ok_or(ParseError::from(
            "invalid subaccount signature: expected base64 encoded Ed25519 signature",
        ))?;
        Ok(Some(Subaccount { token, signature }))
    }

    /// At least one message hash.
    pub fn hashes(self) -> Parsed<Vec<Hash>> {
        let hashes = require("messages", self.strings("messages")?)?;
        if hashes.is_empty() {
            return Err("messages does not contain any message hashes".into());
        }
        hashes.into_iter().map(Hash::parse).collect()
    }

    /// Subaccount tokens to revoke or to allow again.
    pub fn tokens(self, name: &str) -> Parsed<Vec<Token>> {
        let tokens = require(name, self.strings(name)?)?;
        if name == "revoke" && tokens.len() > 50 {
            return Err("invalid revoke: cannot revoke more than 50 subaccounts at once".into());
        }
        let wrong = || ParseError(format!("invalid {name}: expected base64 or hex-encoded subaccount tag"));
        tokens.iter().map(|token| parse_token(token).ok_or_else(wrong)).collect()
    }
}

/// Two spellings of one thing exclude each other.
pub(crate) fn at_most_one(a: &str, has_a: bool, b: &str, has_b: bool) -> Parsed<()> {
    if has_a && has_b { Err(ParseError(format!("Cannot specify both '{a}' and '{b}'"))) } else { Ok(()) }
}

/// A message hash as requested: what was written is what is signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash(String);

impl Hash {
    fn parse(text: String) -> Parsed<Self> {
        if text.len() == 43 && base64::decode(&text).is_some() {
            Ok(Self(text))
        } else {
            Err(ParseError(format!("invalid message hash: {text}")))
        }
    }

    /// As requested.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stored message it can name; `None` if no message can have such a name.
    pub fn id(&self) -> Option<MessageHash> {
        self.0.parse().ok()
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_u64().map(|_| i64::MAX))
}

fn in_range(name: &str, number: i64) -> Parsed<i16> {
    number.try_into().map_err(|_| ParseError(format!("Invalid value given for '{name}': value out of range")))
}

fn ed25519(account: &Pubkey, text: &str) -> Parsed<Ed25519Public> {
    if account.prefix() != 0x05 {
        return Err("pubkey_ed25519 is only permitted for 05[...] pubkeys".into());
    }
    if text.len() != 64 {
        return Err("Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey".into());
    }
    text.parse().map_err(|_| "invalid pubkey_ed25519: value is not hex".into())
}

/// A token in base64 (48 characters) or hexadecimal (72).
fn parse_token(text: &str) -> Option<Token> {
    let bytes = match text.len() {
        48 => base64::decode(text)?,
        72 => data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?,
        _ => return None,
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn types_are_strict_and_null_is_absent() {
        let map =
            object(json!({"a": null, "s": 1, "b": 1, "i": 1.0, "t": 5, "neg": -1, "n": 40000, "big": "12"}));
        let params = Params(&map);
        assert_eq!(params.string("a"), Ok(None));
        assert_eq!(params.string("s").unwrap_err().0, "Invalid value given for 's': expected string");
        assert_eq!(params.boolean("b").unwrap_err().0, "Invalid value given for 'b': expected boolean");
        assert_eq!(params.integer("i").unwrap_err().0, "Invalid value given for 'i': expected integer");
        assert_eq!(
            params.timestamp("t").unwrap_err().0,
            "Invalid timestamp for 't': timestamp must be in milliseconds"
        );
        assert_eq!(
            params.timestamp("neg").unwrap_err().0,
            "Invalid value given for 'neg': expected integer timestamp (in milliseconds)"
        );
        assert_eq!(params.namespace("n").unwrap_err().0, "Invalid value given for 'n': value out of range");
        assert_eq!(params.integer_or_text("big"), Ok(Some(12)));
        assert_eq!(require("x", params.string("x").unwrap()).unwrap_err().0, "Required field 'x' missing");
    }

    #[test]
    fn a_single_value_stands_for_an_array() {
        let map = object(json!({"one": "x", "many": ["x", "y"], "bad": ["x", 1], "e": 7, "es": [7, 8]}));
        let params = Params(&map);
        assert_eq!(params.strings("one").unwrap().unwrap(), ["x"]);
        assert_eq!(params.strings("many").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(
            params.strings("bad").unwrap_err().0,
            "Invalid value given for 'bad': expected string array"
        );
        assert_eq!(params.timestamps("e").unwrap().unwrap(), [7]);
        assert_eq!(params.timestamps("es").unwrap().unwrap(), [7, 8]);
    }
}
