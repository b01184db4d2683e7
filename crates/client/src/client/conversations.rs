//! The list of conversations and what one does with a whole one.

use septet_protocol::account::DisplayName;
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use super::{Client, ClientError};
use crate::event::Event;
use crate::model::{Address, Conversation, ConversationId, ConversationKind, Expiry};
use crate::store::{Db, StoreError};

impl Client {
    /// All conversations, also hidden ones, requests and blocked ones, in list order: pinned first, then the
    /// newest activity. [`Conversation::is_listed`] and [`Conversation::is_request`] tell where each belongs.
    pub async fn conversations(&self) -> Result<Vec<Conversation>, ClientError> {
        let now = self.shown_by();
        self.read(move |db| db.conversations(now)).await
    }

    /// One conversation, if it exists.
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, ClientError> {
        let now = self.shown_by();
        self.read(move |db| db.shown_conversation(id, now)).await
    }

    /// The number of the conversation at an address, if there is one.
    pub async fn find_conversation(&self, address: &Address) -> Result<Option<ConversationId>, ClientError> {
        let address = address.clone();
        self.read(move |db| db.find_conversation(&address)).await
    }

    /// The number of the conversation at an address. Made if there is none: it is not listed before there is something
    /// in it, or it is opened. Sends nothing.
    pub async fn make_conversation(&self, address: &Address) -> Result<ConversationId, ClientError> {
        match self.find_conversation(address).await? {
            Some(id) => Ok(id),
            None => {
                let address = address.clone();
                self.write(move |db| db.make_conversation(&address)).await
            }
        }
    }

    /// What a conversation is with; `None` if there is no such conversation.
    pub async fn address_of(&self, id: ConversationId) -> Result<Option<Address>, ClientError> {
        self.read(move |db| db.address_of(id)).await
    }

    /// The conversation at an address, made empty if it does not exist, shown again if it was hidden. Sends nothing.
    pub async fn open_conversation(&self, address: &Address) -> Result<Conversation, ClientError> {
        let id = self.make_conversation(address).await?;
        self.show_again(id).await?;
        self.conversation(id).await?.ok_or(ClientError::NotFound("conversation"))
    }

    /// Lists a conversation again that was hidden.
    pub async fn show_again(&self, id: ConversationId) -> Result<(), ClientError> {
        let now = self.now();
        self.change(id, move |db| db.open_conversation(id, now).map(drop)).await
    }

    /// Deletes the conversation with all its messages and forgets the other, on all our devices: what they write
    /// later is a request again. Who is blocked stays so.
    pub async fn delete_contact(&self, id: ConversationId) -> Result<(), ClientError> {
        let other = self.other(id).await?;
        let (documents, now) = (self.0.engine.documents.clone(), self.now());
        let delete = move |db: &mut Db| {
            db.delete_contact(other)?;
            documents.contact_deleted(db, other, now)
        };
        self.change(id, delete).await?;
        self.0.engine.events.send(Event::Messages(id));
        Ok(())
    }

    /// Pins the conversation to the top of the list, or unpins it.
    pub async fn pin(&self, id: ConversationId, pinned: bool) -> Result<(), ClientError> {
        self.change(id, move |db| db.set_priority(id, i64::from(pinned)).map(drop)).await
    }

    /// No notifications until then; `None` switches them on again.
    pub async fn mute(&self, id: ConversationId, until: Option<Timestamp>) -> Result<(), ClientError> {
        self.change(id, move |db| db.set_muted(id, until).map(drop)).await
    }

    /// Takes the conversation out of the list; its messages stay here. Our other devices hide it too, and as
    /// official clients do, delete its messages there.
    pub async fn hide(&self, id: ConversationId) -> Result<(), ClientError> {
        self.change(id, move |db| db.set_priority(id, -1).map(drop)).await
    }

    /// Sets when what we write here disappears, on all our devices, and tells the other (spec 02 §18.1). What is
    /// there already keeps its own time.
    ///
    /// # Errors
    /// [`ClientError::Refused`] for a time of zero, for notes to oneself that disappear after reading, and for
    /// somebody we did not accept or whom we blocked.
    pub async fn set_expiry(&self, id: ConversationId, expiry: Expiry) -> Result<(), ClientError> {
        let conversation = self.conversation(id).await?.ok_or(ClientError::NotFound("conversation"))?;
        let own = conversation.kind == ConversationKind::NoteToSelf;
        if let Expiry::AfterRead(0) | Expiry::AfterSend(0) = expiry {
            return Err(ClientError::Refused("choose a time longer than zero"));
        }
        if own && matches!(expiry, Expiry::AfterRead(_)) {
            return Err(ClientError::Refused("notes to yourself can disappear only after sending"));
        }
        if !own && (!conversation.approved || conversation.blocked) {
            return Err(ClientError::Refused("accept or unblock this contact first"));
        }
        self.0.engine.set_expiry(id, expiry).await
    }

    /// Gives the other a private name; `None` removes it.
    pub async fn set_nickname(
        &self,
        id: ConversationId,
        name: Option<DisplayName>,
    ) -> Result<(), ClientError> {
        let other = self.other(id).await?;
        self.change(id, move |db| db.set_nickname(other, name.as_ref().map(DisplayName::as_str))).await
    }

    /// Marks the conversation as unread by hand, or takes that mark away.
    pub async fn mark_unread(&self, id: ConversationId, unread: bool) -> Result<(), ClientError> {
        let (documents, now) = (self.0.engine.documents.clone(), self.0.engine.now());
        let mark = move |db: &mut Db| {
            if db.set_marked_unread(id, unread)? {
                documents.read_changed(db, id, now)?;
            }
            Ok(())
        };
        self.change(id, mark).await
    }

    /// Deletes the conversation with all its messages and files, also on our other devices; the contact stays.
    pub async fn delete_conversation(&self, id: ConversationId) -> Result<(), ClientError> {
        let (documents, now) = (self.0.engine.documents.clone(), self.0.engine.now());
        let delete = move |db: &mut Db| {
            db.delete_conversation(id)?;
            if db.set_marked_unread(id, false)? {
                documents.read_changed(db, id, now)?;
            }
            Ok(())
        };
        self.change(id, delete).await?;
        self.0.engine.events.send(Event::Messages(id));
        Ok(())
    }

    /// Changes a conversation and tells: the list, and the configs for our other devices.
    pub(super) async fn change(
        &self,
        id: ConversationId,
        f: impl FnOnce(&mut Db) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), ClientError> {
        let (documents, now) = (self.0.engine.documents.clone(), self.0.engine.now());
        let change = move |db: &mut Db| {
            db.transaction(|db| {
                f(db)?;
                documents.conversation_changed(db, id, now)
            })
        };
        self.write(change).await?;
        self.0.engine.bells.config.notify_one();
        self.0.engine.events.send(Event::Conversation(id));
        Ok(())
    }

    /// Whom a private conversation is with; refuses what makes no sense with oneself, or with many.
    pub(super) async fn other(&self, id: ConversationId) -> Result<SessionId, ClientError> {
        match self.address_of(id).await?.ok_or(ClientError::NotFound("conversation"))? {
            Address::Account(other) if other == self.id() => {
                Err(ClientError::Refused("this cannot be done with Note to Self"))
            }
            Address::Account(other) => Ok(other),
            _ => Err(ClientError::Refused("this can only be done with one person")),
        }
    }
}
