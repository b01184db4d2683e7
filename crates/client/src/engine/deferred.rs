//! Reading once more what an older version could not (spec 09 §6.1).
//!
//! Once after an update, when the network's time is known: what was kept is decoded as if it had just come, and what
//! this version knows is taken in on the same way as new messages. What was tried is marked in the same transaction,
//! so a kill in between only means that the rest is tried after the next start.

use std::sync::Arc;

use septet_protocol::id::{Account, Namespace};
use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::sources::swarm::arrivals::{self, Applied};
use super::{Documents, Engine, receive};
use crate::store::{Db, DeferredId, ReceivedItem, StoreError, VERSION};

/// So many at a time: as much as may be in memory at once.
const AT_ONCE: u32 = 64;

/// Reads everything once that this version has not tried yet, and ends.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let now = tokio::select! {
        () = cancel.cancelled() => return,
        now = engine.network.time_known() => now,
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        result = read_all(&engine, now) => if let Err(error) = result {
            tracing::warn!(%error, "what an older version kept is not read now, but after the next start");
        },
    }
}

async fn read_all(engine: &Arc<Engine>, now: Timestamp) -> Result<(), StoreError> {
    let owner = Account::from(engine.me());
    let mut last = DeferredId(0);
    loop {
        let from = (owner, Namespace::MESSAGES);
        let untried = move |db: &Db| db.deferred_untried(from, VERSION, last, AT_ONCE, now);
        let (ids, messages): (Vec<_>, Vec<_>) =
            engine.store.read(untried).await?.into_iter().map(|kept| (kept.id, kept.message)).unzip();
        let Some(id) = ids.last() else { return Ok(()) };
        last = *id;
        let items = ids.into_iter().zip(receive::read_all(engine, messages).await).collect();
        let documents = engine.documents.clone();
        let apply = move |db: &mut Db| take_in(db, &documents, items, VERSION, now);
        let applied = engine.store.call(apply).await?;
        engine.carry_out(arrivals::following(applied));
    }
}

/// Takes in what was kept, as it is read now.
fn take_in(
    db: &mut Db,
    documents: &Documents,
    kept: Vec<(DeferredId, ReceivedItem)>,
    version: &str,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let owner = Account::from(documents.me());
    let items: Vec<ReceivedItem> = kept.iter().map(|(_, item)| item.clone()).collect();
    arrivals::apply_with(db, documents, &items, now, |db| {
        db.apply_deferred(&kept, owner, Namespace::MESSAGES, version, now)
    })
}

#[cfg(test)]
mod tests {
    use septet_protocol::account::{AccountKeys, DisplayName, Seed};
    use septet_protocol::id::{Ed25519Public, SessionId};
    use septet_protocol::message::{
        Content, MessageRef, Outgoing, Profile, Reaction, ReactionAction, Visible,
    };
    use septet_protocol::swarm::reply::StoredMessage;

    use super::super::receive::tests::{NOW, keys, older_version, pointer, stored, this_version};
    use super::*;
    use crate::model::{AttachmentState, ConversationId, Downloads, Message, Notice, Page};
    use crate::store::{AppliedBatch, Now, ReceivedBatch, StoredAccount};

    /// An account of ours with an older version of the program.
    struct Device {
        keys: AccountKeys,
        documents: Documents,
        db: Db,
    }

    impl Device {
        fn new() -> Self {
            let (keys, mut db) = (keys(1), Db::memory());
            let account =
                StoredAccount { id: keys.session_id, seed: Seed::from_bytes([1; 16]), created: NOW };
            db.insert_account(&account).unwrap();
            Self { documents: Documents::new(&keys), keys, db }
        }

        /// Takes in what came, as the older version reads it.
        fn receive(&mut self, messages: Vec<StoredMessage>) -> AppliedBatch {
            let reader = older_version(&self.keys);
            let items: Vec<_> = messages.into_iter().map(|message| reader.read(message)).collect();
            let account = Account::from(self.keys.session_id);
            let (node, namespace) = (Ed25519Public([9; 32]), Namespace::MESSAGES);
            let batch =
                ReceivedBatch { node, account, namespace, last_hash: None, generation: 0, items, now: NOW };
            let apply = |db: &mut Db| db.apply_received(&batch);
            arrivals::apply_with(&mut self.db, &self.documents, &batch.items, NOW, apply).unwrap().batch
        }

        /// The first start of this version.
        fn update(&mut self, version: &str) -> AppliedBatch {
            let from = (Account::from(self.keys.session_id), Namespace::MESSAGES);
            let kept = self.db.deferred_untried(from, version, DeferredId(0), 99, NOW).unwrap();
            let reader = this_version(&self.keys);
            let items = kept.into_iter().map(|kept| (kept.id, reader.read(kept.message))).collect();
            take_in(&mut self.db, &self.documents, items, version, NOW).unwrap().batch
        }

        fn with(&self, id: SessionId) -> ConversationId {
            self.db.find_conversation(&id.into()).unwrap().unwrap()
        }

        fn page(&self, id: SessionId) -> Vec<Message> {
            self.db.messages(self.with(id), Page::Newest, 99, NOW).unwrap().messages
        }
    }

    fn text(body: &str, ms: u64) -> Outgoing {
        Outgoing::new(Content::Visible(Visible { body: body.into(), ..Visible::default() }), NOW - ms)
    }

    fn file(ms: u64) -> Outgoing {
        let visible = Visible { attachments: vec![pointer()], ..Visible::default() };
        Outgoing::new(Content::Visible(visible), NOW - ms)
    }

    fn reaction(author: SessionId, to: u64, ms: u64) -> Outgoing {
        let target = MessageRef { author, timestamp: NOW - to };
        let emoji = "👍".parse().unwrap();
        let action = ReactionAction::React;
        Outgoing::new(Content::Reaction(Reaction { target, emoji, action }), NOW - ms)
    }

    #[test]
    fn what_an_older_version_kept_is_there_after_the_update() {
        let (alice, mut device) = (keys(2), Device::new());
        let id = alice.session_id;
        device.db.set_approved(id, true).unwrap();
        let named = Profile { name: Some(DisplayName::parse("Alice").unwrap()), picture: None, updated: 5 };
        let to_us = |message: Outgoing| stored(&message, &alice, &keys(1));
        let with = device.db.make_conversation(&id.into()).unwrap();
        device.db.set_downloads(with, Downloads::Automatic).unwrap();
        device.receive(vec![to_us(text("one", 90))]);
        device.receive(vec![to_us(file(80).with_profile(named)), to_us(text("three", 70))]);
        // Our own from another device, and what we put under a message of hers.
        let copy = |message: Outgoing| {
            let copy = message.sync_copy(id).unwrap();
            stored(&copy, &keys(1), &keys(1))
        };
        device.receive(vec![copy(file(60)), copy(reaction(id, 90, 50))]);
        let notices: Vec<_> = device.page(id).into_iter().filter_map(|message| message.notice).collect();
        let lines = notices.iter().filter(|notice| **notice == Notice::Unreadable).count();
        assert_eq!(lines, 3);
        assert!(device.page(id).iter().all(|message| message.reactions.is_empty()));
        // Nothing happens before the update.
        assert!(device.update(VERSION).messages.is_empty());

        let applied = device.update("next");
        assert_eq!(applied.messages.len(), 2, "the files of both; a reaction is no message");
        let page: Vec<_> = device.page(id).into_iter().filter(|message| message.notice.is_none()).collect();
        assert_eq!(
            page.iter().map(|message| message.timestamp).collect::<Vec<_>>(),
            [90, 80, 70, 60].map(|ms| NOW - ms)
        );
        assert_eq!(page[0].reactions[0].from, [keys(1).session_id]);
        // As if it had just come: files of people whose files may come are fetched, and their profile is taken over.
        assert!(matches!(page[1].attachments[0].state, AttachmentState::Downloading { .. }));
        assert!(page[3].outgoing);
        assert_eq!(device.db.conversation(device.with(id)).unwrap().unwrap().name, "Alice");
        assert!(!device.page(id).iter().any(|message| message.notice == Some(Notice::Unreadable)));
        // Once.
        assert!(device.update("next").messages.is_empty());
        assert!(device.update("and the one after").messages.is_empty());
    }

    #[test]
    fn what_was_read_and_accepted_meanwhile_stays_so() {
        let (alice, mut device) = (keys(2), Device::new());
        let id = alice.session_id;
        let to_us = |message: Outgoing| stored(&message, &alice, &keys(1));
        // A stranger whose first message is of a kind that is not known yet: nothing is seen of it.
        let applied = device.receive(vec![to_us(file(90))]);
        assert!(applied.requests.is_empty() && !applied.unreadable);
        assert_eq!(device.db.find_conversation(&id.into()).unwrap(), None);
        device.receive(vec![to_us(text("hello?", 80)), to_us(file(70))]);
        let newest = device.page(id).last().unwrap().id;
        device.db.mark_read(device.with(id), newest, Now::Known(NOW)).unwrap();
        let applied = device.update("next");
        assert_eq!(applied.messages.len(), 2);
        assert!(device.page(id).iter().all(|message| message.read));
        assert_eq!(device.db.conversation(device.with(id)).unwrap().unwrap().unread, 0);
        let states: Vec<_> =
            device.page(id).into_iter().flat_map(|message| message.attachments).map(|it| it.state).collect();
        assert_eq!(states, [AttachmentState::Remote, AttachmentState::Remote], "a stranger's files wait");
    }
}
