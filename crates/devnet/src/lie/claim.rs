//! False claims to have done what was asked: `store` and the `delete` requests.
//!
//! Decision: a claim is made by doing the work on a copy of the node's table that is then thrown away: the liar's
//! entry is what an honest one would be, own signature included, and [`StoreLie`] says what is wrong with it besides.

use data_encoding::BASE64;
use septet_protocol::crypto::{Ed25519Secret, Random, SystemRandom};
use septet_protocol::id::{Ed25519Public, MessageHash};
use serde_json::{Map, Value};

/// How a node claims to have stored what it has not (or not as it should).
///
/// A node that was asked by a client passes nothing on to its swarm and answers for itself alone; one that another
/// member passed the request on to gives a false entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreLie {
    /// No signature at all. Nothing is stored.
    Unsigned,
    /// The node's own valid signature, over another hash, which it names. Nothing is stored.
    OtherHash,
    /// The whole true reply to another message that was stored by way of this node before, with the valid signatures
    /// of all members; [`StoreLie::OtherHash`] if there was none. Nothing is stored.
    Replayed,
    /// The right hash, signed validly by a key that is in no list. Nothing is stored.
    Stranger,
    /// The right hash under a signature that does not hold. Nothing is stored.
    BadSignature,
    /// The right hash and its own valid signature: the perfect proof, and nothing is stored.
    Unkept,
    /// It stores the message itself, rightly, and passes it on to nobody.
    OnlyItself,
}

/// Who claims: it has a key of its own, and signs with no other node's.
pub(crate) trait Liar {
    fn key(&self) -> Ed25519Public;
    /// A signature by that key, base64.
    fn sign(&self, message: &[u8]) -> String;
}

/// A claim instead of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    Store(StoreLie),
    Delete,
}

impl Claim {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store(_) => "lie:store",
            Self::Delete => "lie:delete",
        }
    }

    /// Whether the work is done in truth.
    pub fn keeps(self) -> bool {
        self == Self::Store(StoreLie::OnlyItself)
    }

    /// What is wrong with the node's own entry of the reply; the key that the entry stands under.
    pub fn spoil(self, liar: &impl Liar, entry: &mut Map<String, Value>) -> Ed25519Public {
        let own = liar.key();
        let Self::Store(lie) = self else { return own };
        let hash = entry.get("hash").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut signer = own;
        let signature = match lie {
            StoreLie::OnlyItself | StoreLie::Unkept => return own,
            StoreLie::Unsigned => {
                entry.remove("signature");
                return own;
            }
            StoreLie::OtherHash | StoreLie::Replayed => {
                let other = MessageHash(SystemRandom.array()).to_string();
                let signature = liar.sign(other.as_bytes());
                entry.insert("hash".to_owned(), other.into());
                signature
            }
            StoreLie::Stranger => {
                let stranger = Ed25519Secret::generate(&mut SystemRandom);
                signer = stranger.public();
                BASE64.encode(&stranger.sign(hash.as_bytes()))
            }
            StoreLie::BadSignature => BASE64.encode(&SystemRandom.array::<64>()),
        };
        entry.insert("signature".to_owned(), signature.into());
        signer
    }

    /// What is wrong with the reply as a whole; `earlier` is the last honest reply to a `store`.
    pub fn retell(self, earlier: Option<Map<String, Value>>, reply: &mut Map<String, Value>) {
        if self == Self::Store(StoreLie::Replayed)
            && let Some(earlier) = earlier
        {
            *reply = earlier;
        }
    }
}
