//! One question: a JSON object, with its fields read as what they stand for.

use std::error::Error;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;

use septet_protocol::crypto::Replay;
use septet_protocol::id::X25519Public;

/// What an operation gives: a result, or a sentence that says what is wrong.
pub type Answer<T> = Result<T, Box<dyn Error>>;

/// One question.
pub struct Question(Value);

impl Question {
    /// A question from its JSON.
    pub fn new(fields: Value) -> Self {
        Self(fields)
    }

    /// A field as it is; null if missing.
    pub fn get(&self, field: &str) -> &Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    /// A field that is an object of its own.
    pub fn part(&self, field: &str) -> Question {
        Self(self.get(field).clone())
    }

    /// A field that is a list of objects.
    pub fn parts(&self, field: &str) -> Answer<Vec<Question>> {
        let list = self.get(field).as_array().ok_or_else(|| format!("{field} is not a list"))?;
        Ok(list.iter().cloned().map(Self).collect())
    }

    /// A text field.
    pub fn text(&self, field: &str) -> Answer<&str> {
        self.get(field).as_str().ok_or_else(|| format!("{field} is not a text").into())
    }

    /// A number.
    pub fn number(&self, field: &str) -> Answer<u64> {
        self.get(field).as_u64().ok_or_else(|| format!("{field} is not a number").into())
    }

    /// A field of bytes.
    pub fn bytes(&self, field: &str) -> Answer<Vec<u8>> {
        hex(self.text(field)?)
    }

    /// A field of bytes that may be missing or null.
    pub fn optional_bytes(&self, field: &str) -> Answer<Option<Vec<u8>>> {
        if self.get(field).is_null() { Ok(None) } else { self.bytes(field).map(Some) }
    }

    /// A list of byte strings; empty if missing.
    pub fn list(&self, field: &str) -> Answer<Vec<Vec<u8>>> {
        let list = self.get(field).as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|item| hex(item.as_str().unwrap_or("not a text"))).collect()
    }

    /// A field of exactly this many bytes.
    pub fn array<const N: usize>(&self, field: &str) -> Answer<[u8; N]> {
        self.bytes(field)?.try_into().map_err(|_| format!("{field} has not {N} bytes").into())
    }

    /// An X25519 key, or the 33 bytes of an account id.
    pub fn x25519(&self, field: &str) -> Answer<X25519Public> {
        match self.bytes(field)?.as_slice() {
            [0x05, key @ ..] if key.len() == 32 => Ok(X25519Public(key.try_into()?)),
            key => Ok(X25519Public(key.try_into().map_err(|_| format!("{field} is not a key"))?)),
        }
    }

    /// The recorded random draws.
    pub fn random(&self) -> Answer<Replay> {
        Ok(Replay::new(self.list("random_draws")?))
    }
}

fn hex(text: &str) -> Answer<Vec<u8>> {
    Ok(HEXLOWER_PERMISSIVE.decode(text.as_bytes())?)
}
