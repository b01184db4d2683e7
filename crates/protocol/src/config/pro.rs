//! The proof that an account has paid for Pro, as devices hand it to each other (spec 05 §10, key `s`).
//!
//! A client without Pro reads it to show the badge, and otherwise leaves it alone.

use zeroize::Zeroizing;

use crate::bencode::{Reader, write_bytes, write_int};
use crate::time::Timestamp;

use super::field::Fields;
use super::value::{Dict, Value};

/// The Ed25519 seed that Pro messages are signed with; wiped when dropped.
pub type RotatingSeed = Zeroizing<[u8; 32]>;

/// A proof of payment and the key it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct ProCredential {
    /// When it ends. Kept in whole seconds.
    pub expires: Timestamp,
    /// What a revocation names.
    pub revocation_tag: [u8; 32],
    /// The key it is for.
    pub rotating_seed: RotatingSeed,
    /// The backend's signature.
    pub signature: [u8; 64],
}

impl ProCredential {
    /// Reads today's form, a bencoded dict in a string.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let dict = Dict::read(&mut Reader::new(bytes), false).ok()?;
        Some(Self {
            expires: dict.seconds(b"e")?,
            revocation_tag: dict.array(b"g")?,
            rotating_seed: Zeroizing::new(dict.array(b"r")?),
            signature: dict.array(b"s")?,
        })
    }

    /// Writes today's form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![b'd'];
        write_bytes(&mut out, b"e");
        write_int(&mut out, i64::try_from(self.expires.as_secs()).unwrap_or(i64::MAX));
        for (key, value) in
            [(b"g", &self.revocation_tag[..]), (b"r", &self.rotating_seed[..]), (b"s", &self.signature)]
        {
            write_bytes(&mut out, key);
            write_bytes(&mut out, value);
        }
        out.push(b'e');
        out
    }

    /// Reads the value of the field, in today's form or that of before 2026: a dict, with milliseconds.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Self::parse(bytes.as_slice()),
            Value::Dict(dict) => {
                let proof = dict.dict(b"p")?;
                Some(Self {
                    expires: Timestamp::from_ms(proof.positive(b"e")?),
                    revocation_tag: proof.array(b"g")?,
                    rotating_seed: Zeroizing::new(dict.array(b"r")?),
                    signature: proof.array(b"s")?,
                })
            }
            Value::Int(_) | Value::Set(_) => None,
        }
    }
}
