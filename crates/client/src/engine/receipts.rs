//! Telling others what we have read, if we want to (spec 02 §19).
//!
//! Decision: off by default, and symmetric: who does not tell is not told. What is read within three seconds goes out
//! as one receipt, and is kept in memory only: a receipt lost to a restart harms nobody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_protocol::time::Timestamp;

use super::Engine;
use crate::model::{Conversation, ConversationId, ConversationKind};
use crate::store::{Db, StoreError, Wish};

/// The setting's name in the store.
const SETTING: &str = "read_receipts";
/// What is read within this time goes into one receipt.
const GATHER: Duration = Duration::from_secs(3);

/// What we have read and not told yet.
#[derive(Default)]
pub struct Receipts {
    on: AtomicBool,
    waiting: Mutex<BTreeMap<ConversationId, Vec<Timestamp>>>,
}

impl Receipts {
    /// As the setting says.
    pub fn load(db: &Db) -> Result<bool, StoreError> {
        Ok(db.setting(SETTING)?.unwrap_or(false))
    }

    /// Whether receipts are sent and shown.
    pub fn are_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Switches them for this run.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// Nothing of what was read is told any more.
    fn forget(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Notes what was read; tells whether it is the first of a new receipt.
    fn note(&self, id: ConversationId, read: Vec<Timestamp>) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let list = waiting.entry(id).or_default();
        let first = list.is_empty();
        list.extend(read);
        first && !list.is_empty()
    }

    /// Where something waits to be told.
    fn conversations(&self) -> Vec<ConversationId> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Takes what is to be told.
    fn take(&self, id: ConversationId) -> Vec<Timestamp> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&id).unwrap_or_default()
    }
}

impl Engine {
    /// Switches read receipts on or off for good. Off, those that wait are not sent any more.
    pub async fn set_read_receipts(&self, on: bool) -> Result<(), StoreError> {
        self.receipts.switch(on);
        let set = move |db: &mut Db| {
            db.transaction(|db| {
                db.set_setting(SETTING, &on)?;
                if !on {
                    db.drop_receipts()?;
                }
                Ok(())
            })
        };
        self.store.call(set).await?;
        if !on {
            self.receipts.forget();
            self.outbox_changed();
        }
        Ok(())
    }

    /// A person has just read the messages with these sent timestamps on this device.
    pub fn tell_read(self: &Arc<Self>, id: ConversationId, read: Vec<Timestamp>) {
        if !self.receipts.are_on() || !self.receipts.note(id, read) {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            if let Err(error) = engine.send_receipt(id).await {
                tracing::debug!(%error, "a read receipt is not sent");
            }
        });
    }

    /// Tells now what has been read: nothing more is gathered.
    pub async fn hasten_receipts(self: &Arc<Self>) -> Result<(), StoreError> {
        for id in self.receipts.conversations() {
            self.send_receipt(id).await?;
        }
        Ok(())
    }

    /// Puts what was gathered into the outbox.
    async fn send_receipt(self: &Arc<Self>, id: ConversationId) -> Result<(), StoreError> {
        let read = self.receipts.take(id);
        if read.is_empty() {
            return Ok(());
        }
        let this = Arc::clone(self);
        self.store.call(move |db| db.transaction(|db| this.write_receipt(db, id, read))).await?;
        self.bells.outbox.notify_one();
        Ok(())
    }

    /// Puts a receipt into the outbox; only people we accepted and did not block get one, and nobody if that was
    /// switched off meanwhile.
    fn write_receipt(&self, db: &mut Db, id: ConversationId, read: Vec<Timestamp>) -> Result<(), StoreError> {
        if !self.receipts.are_on() {
            return Ok(());
        }
        let welcome = |it: &Conversation| it.kind == ConversationKind::Private && it.approved && !it.blocked;
        let reader = db.conversation(id)?.filter(welcome).and_then(|it| it.address.account());
        if let Some(reader) = reader {
            self.enqueue(db, reader, Wish::ReadReceipt { timestamps: read })?;
        }
        Ok(())
    }
}
