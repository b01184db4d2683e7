//! Reactions to messages (spec 02 §16).

use septet_protocol::message::Emoji;

use super::{Client, ClientError};
use crate::model::{MessageId, MessageState};
use crate::store::{Db, Wish};

/// What is offered to somebody who has not reacted to anything yet; always part of what is offered.
pub const FIRST_EMOJI: [&str; 6] = ["😂", "🥰", "😢", "😡", "😮", "😈"];
/// So many emoji are offered.
const OFFERED: usize = 24;

impl Client {
    /// Adds one's reaction to a message, or removes it: one emoji (spec 02 §16). Like writing, that accepts a request and lists
    /// a hidden conversation again (spec 02 §21.2). At most 20 of either in 60 seconds, however many programs ask.
    pub async fn react(&self, id: MessageId, emoji: &str, remove: bool) -> Result<(), ClientError> {
        let emoji: Emoji = emoji.parse().map_err(|_| ClientError::Refused("choose an emoji"))?;
        let message = self.message(id).await?.ok_or(ClientError::NotFound("message"))?;
        let unsent = matches!(message.state, MessageState::Sending | MessageState::Failed);
        if message.deleted || message.notice.is_some() || unsent {
            return Err(ClientError::Refused("this message cannot be reacted to"));
        }
        if self.conversation(message.conversation).await?.is_some_and(|conversation| conversation.blocked) {
            return Err(ClientError::Refused("you blocked this contact: unblock to react"));
        }
        let engine = self.0.engine.clone();
        let (conversation, now) = (message.conversation, self.now());
        let react = move |db: &mut Db| {
            db.transaction(|db| {
                if !db.may_react(now)? {
                    return Ok(false);
                }
                engine.answer(db, conversation)?;
                let (author, timestamp) = (message.from, message.timestamp);
                let wish = Wish::Reaction { author, timestamp, emoji: emoji.clone(), remove };
                let to = db.account_of(conversation)?;
                let timestamp = engine.enqueue(db, to, wish)?;
                db.react(id, emoji.as_str(), remove, timestamp)?;
                if !remove {
                    db.note_emoji(emoji.as_str())?;
                }
                Ok(true)
            })
        };
        if !self.write(react).await? {
            return Err(ClientError::Refused("slow down: you can react 20 times in a minute"));
        }
        self.0.engine.bells.outbox.notify_one();
        // Reacting accepts: the other's picture may be wanted now.
        self.0.engine.bells.downloads.notify_one();
        self.0.engine.bells.config.notify_one();
        self.tell_changed(conversation, id);
        Ok(())
    }

    /// Emoji to offer: those chosen on this device, the latest first, then the usual ones; up to 24, at least 6.
    pub async fn recent_emoji(&self) -> Result<Vec<String>, ClientError> {
        let mut offered = self.read(|db| db.recent_emoji()).await?;
        for usual in FIRST_EMOJI {
            if !offered.iter().any(|emoji| emoji == usual) {
                offered.push(usual.to_owned());
            }
        }
        offered.truncate(OFFERED);
        Ok(offered)
    }

    /// An emoji was chosen for something else than a reaction; it is offered first from now on.
    pub async fn note_emoji(&self, emoji: &str) -> Result<(), ClientError> {
        let emoji: Emoji = emoji.parse().map_err(|_| ClientError::Refused("choose an emoji"))?;
        self.write(move |db| db.note_emoji(emoji.as_str())).await
    }
}
