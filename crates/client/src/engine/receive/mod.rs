//! What a message from the swarm means: from stored bytes to what the store is told.
//!
//! Decision: decoding needs only our keys and runs on all cores, before and outside of the transaction that stores
//! the result. Everything here is silent about what it cannot read: a foreign message that makes no sense leaves no
//! trace but its hash (spec 02 §5). What a later version may read is kept as it came (spec 09 §6.1).

mod invitation;
mod one_to_one;
#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;
use std::thread::available_parallelism;

use septet_protocol::account::AccountKeys;
use septet_protocol::message::{DecodeError, Received, decode_one_to_one};
use septet_protocol::swarm::reply::StoredMessage;

use super::Engine;
use crate::model::Settings;
use crate::store::{Meaning, ReceivedItem, Unreadable};

/// Fewer messages than this are decoded where they are: handing them to other threads costs more.
const WORTH_SHARING: usize = 16;

/// Opens stored bytes.
type Decode = fn(&[u8], &AccountKeys) -> Result<Received, DecodeError>;

/// Reads messages of one account.
pub struct Reader<'a> {
    keys: &'a AccountKeys,
    /// What we look at that a person can switch off.
    settings: Settings,
    /// What this version knows; tests have one that knows less.
    decode: Decode,
}

/// Decodes messages on all cores; the result has one item for each, in the same order.
pub async fn read_all(engine: &Arc<Engine>, messages: Vec<StoredMessage>) -> Vec<ReceivedItem> {
    if messages.len() < WORTH_SHARING {
        let reader = Reader::of(engine);
        return messages.into_iter().map(|message| reader.read(message)).collect();
    }
    let workers = available_parallelism().map_or(1, |count| count.get());
    let share = messages.len().div_ceil(workers);
    let mut messages = messages.into_iter();
    let mut shares = Vec::new();
    loop {
        let share: Vec<StoredMessage> = messages.by_ref().take(share).collect();
        if share.is_empty() {
            break;
        }
        let engine = Arc::clone(engine);
        shares.push(tokio::task::spawn_blocking(move || {
            let reader = Reader::of(&engine);
            share.into_iter().map(|message| reader.read(message)).collect::<Vec<_>>()
        }));
    }
    let mut items = Vec::new();
    for share in shares {
        // A share is lost only if the runtime ends; the messages are fetched again after the next start.
        items.extend(share.await.unwrap_or_default());
    }
    items
}

impl<'a> Reader<'a> {
    /// Reads what comes to an engine's account.
    fn of(engine: &'a Engine) -> Self {
        Self { keys: &engine.keys, settings: engine.settings(), decode: decode_one_to_one }
    }

    /// Finds out what one message says.
    pub fn read(&self, message: StoredMessage) -> ReceivedItem {
        let unknown = match (self.decode)(&message.data, self.keys) {
            Ok(received) => {
                let incoming = one_to_one::interpret(received, self.keys.session_id, self.settings);
                return ReceivedItem::new(
                    &message,
                    incoming.map(Box::new).map_or(Meaning::Nothing, Meaning::Said),
                );
            }
            Err(DecodeError::NewerFormat) => None,
            Err(DecodeError::UnknownType(unknown)) => Some(unknown),
            Err(error) => {
                tracing::debug!(%error, "a message cannot be read");
                return ReceivedItem::new(&message, Meaning::Nothing);
            }
        };
        let mut item = ReceivedItem::new(&message, Meaning::Nothing);
        item.meaning = Meaning::Unreadable(Unreadable { unknown, raw: message.data });
        item
    }
}
