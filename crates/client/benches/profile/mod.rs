//! Makes a profile of any size, by the store's own methods.
//!
//! Half of the messages are in the first conversation, all of them from the other and unread; the rest goes around
//! among all others, every third of it ours. The last message was sent when the profile was made, the first three years
//! before. People with whom there is no conversation are contacts that are not in the list. Everything is the same for
//! the same sizes and time, but for the account.
//!
//! Decision: what a config document says of contacts and read states is written here, as another device would have;
//! the program would describe each of them when the profile is first opened, and a figure of that opening would mean
//! nothing.

use std::path::Path;

use septet_client::key::KeyProtection;
use septet_client::model::{Address, Expiry};
use septet_client::store::{
    ContactData, Db, Incoming, IncomingKind, Meaning, NewAttachment, ProfileData, ReceivedBatch,
    ReceivedItem, RemoteFile, Store, StoreError, StoredAccount, StoredConfig,
};
use septet_protocol::account::Seed;
use septet_protocol::config::{
    Config, Contact, Contacts, ConvoId, ConvoInfoVolatile, Priority, ReadState, UserProfile,
};
use septet_protocol::crypto::{SystemRandom, blake2b};
use septet_protocol::id::{Account, Ed25519Public, GroupId, MessageHash, Namespace, SessionId};
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

/// So many messages are stored in one transaction.
const BATCH: u64 = 5_000;
/// The time between the first message and the last, in ms.
const SPAN_MS: u64 = 3 * 365 * 24 * 3600 * 1000;
/// How long a swarm keeps a message, in ms.
const TTL_MS: u64 = 14 * 24 * 3600 * 1000;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Conversations with one person.
    pub conversations: u64,
    /// Messages in them.
    pub messages: u64,
    /// People we accepted; at least one for each conversation.
    pub contacts: u64,
    /// Files, each in a message of its own; none is here.
    pub attachments: u64,
    /// Groups, without messages.
    pub groups: u64,
    /// Rooms of communities, without messages.
    pub rooms: u64,
}

/// Makes the profile in an empty folder. `told` hears how many messages are stored. Blocks.
pub async fn make(
    folder: &Path,
    sizes: Sizes,
    now: Timestamp,
    mut told: impl FnMut(u64),
) -> Result<(), StoreError> {
    let seed = Seed::generate(&mut SystemRandom);
    let making = Making {
        sizes,
        now,
        me: seed.keys().session_id,
        secret: Zeroizing::new(*seed.keys().ed25519.seed()),
    };
    let account = StoredAccount { id: making.me, seed, created: now - SPAN_MS };
    let fill = |db: &mut Db| making.people(db);
    let store = Store::create(folder, KeyProtection::KeyFile, &account, fill)?;
    for first in (0..sizes.messages).step_by(BATCH as usize) {
        let batch = making.batch(first, BATCH.min(sizes.messages - first));
        store.call(move |db| db.apply_received(&batch).map(drop)).await?;
        told(sizes.messages.min(first + BATCH));
    }
    // What the swarm has forgotten by now is forgotten here as well.
    store.call(move |db| db.forget_old(now).map(drop)).await?;
    store.close().await;
    Ok(())
}

struct Making {
    sizes: Sizes,
    now: Timestamp,
    me: SessionId,
    secret: Zeroizing<[u8; 32]>,
}

impl Making {
    /// Everything but the messages.
    fn people(&self, db: &mut Db) -> Result<(), StoreError> {
        let begin = self.now - SPAN_MS;
        db.set_swarm_was_read()?;
        let mut profile = UserProfile::new(&self.secret);
        profile.set_name_truncated("Somebody", begin);
        profile.set_note_to_self_priority(Priority::HIDDEN);
        let told = ProfileData { name: "Somebody".to_owned(), picture: None, updated: begin.as_secs() };
        db.set_profile(self.me, &told)?;
        self.save(db, &mut profile)?;

        let (mut contacts, mut states) = (Contacts::new(&self.secret), ConvoInfoVolatile::new(&self.secret));
        for number in 0..self.sizes.contacts.max(self.sizes.conversations) {
            let listed = number < self.sizes.conversations;
            let contact = self.contact(number, listed);
            db.apply_contact(&contact)?;
            contacts.set(&entry(&contact, listed)).map_err(|_| StoreError::NotFound)?;
            if listed && number > 0 {
                let state = ReadState { last_read: begin, ..ReadState::default() };
                states.set(&ConvoId::OneToOne(contact.id), &state, None, self.now);
            }
        }
        self.save(db, &mut contacts)?;
        self.save(db, &mut states)?;
        for number in 0..self.sizes.groups {
            let group = Address::Group(GroupId(digest(b"group", number)));
            let id = db.make_conversation(&group)?;
            db.open_conversation(id, begin + number)?;
        }
        for number in 0..self.sizes.rooms {
            let (server, room) =
                (format!("https://community-{}.example", number / 5), format!("room-{number}"));
            if let (Ok(server), Ok(room)) = (server.parse(), room.parse()) {
                let id = db.make_conversation(&Address::room(server, &room))?;
                db.open_conversation(id, begin + number)?;
            }
        }
        Ok(())
    }

    fn save(&self, db: &mut Db, config: &mut dyn Config) -> Result<(), StoreError> {
        db.save_config(&StoredConfig {
            owner: Account::from(self.me),
            namespace: config.kind().namespace(),
            needs_push: config.needs_push(),
            dump: Zeroizing::new(config.dump()),
            processed_at: Timestamp::default(),
        })
    }

    fn contact(&self, number: u64, listed: bool) -> ContactData {
        let begin = self.now - SPAN_MS;
        ContactData {
            id: person(number),
            profile: ProfileData {
                name: format!("Person {number}"),
                picture: None,
                updated: begin.as_secs(),
            },
            nickname: None,
            approved: true,
            approved_me: true,
            blocked: false,
            priority: listed.then_some(0),
            muted_until: None,
            expiry: Expiry::Off,
            created: Timestamp::from_ms(begin.as_secs() * 1000),
        }
    }

    fn batch(&self, first: u64, count: u64) -> ReceivedBatch {
        let items: Vec<ReceivedItem> = (first..first + count).map(|number| self.item(number)).collect();
        ReceivedBatch {
            node: Ed25519Public([9; 32]),
            account: Account::User(self.me),
            namespace: Namespace::MESSAGES,
            last_hash: None,
            generation: 0,
            items,
            now: self.sent(first + count),
        }
    }

    /// When a message was sent.
    fn sent(&self, number: u64) -> Timestamp {
        self.now - SPAN_MS + SPAN_MS / self.sizes.messages.max(1) * number
    }

    fn item(&self, number: u64) -> ReceivedItem {
        let others = self.sizes.conversations.saturating_sub(1).max(1);
        let (with, ours) = match number % 2 {
            0 => (0, false),
            _ => (1 + number / 2 % others, number / 2 / others % 3 == 2),
        };
        let with = person(with.min(self.sizes.conversations.saturating_sub(1)));
        let timestamp = self.sent(number);
        let every = self.sizes.messages / self.sizes.attachments.max(1);
        let has_file = self.sizes.attachments > 0 && number.is_multiple_of(every.max(1));
        let incoming = Incoming {
            sender: if ours { self.me } else { with },
            conversation: with.into(),
            timestamp,
            msg_id: None,
            profile: None,
            kind: IncomingKind::Message {
                text: format!(
                    "message {number} of a long history, about as long as what people write to each other"
                ),
                attachments: has_file.then(|| file(number)).into_iter().collect(),
                quote: None,
                expiry: Expiry::Off,
                preview: None,
            },
        };
        let hash = MessageHash(digest(b"hash", number));
        ReceivedItem {
            hash,
            expiration: timestamp + TTL_MS,
            stored_at: timestamp,
            meaning: Meaning::Said(Box::new(incoming)),
        }
    }
}

/// One message that arrives in a conversation now, and who wrote it.
pub fn arrival(me: SessionId, now: Timestamp, number: u64) -> (SessionId, ReceivedBatch) {
    let sizes = Sizes { conversations: 1, messages: 1, contacts: 1, attachments: 0, groups: 0, rooms: 0 };
    let making = Making { sizes, now: now + number, me, secret: Zeroizing::new([0; 32]) };
    let mut batch = making.batch(1, 1);
    for item in &mut batch.items {
        item.hash = MessageHash(digest(b"arrival", now.as_ms() + number));
    }
    (person(0), batch)
}

/// Somebody we know.
pub fn person(number: u64) -> SessionId {
    SessionId(digest(b"person", number))
}

fn digest(what: &[u8], number: u64) -> [u8; 32] {
    blake2b(&[], &[what, &number.to_le_bytes()])
}

fn file(number: u64) -> NewAttachment {
    NewAttachment {
        name: format!("picture-{number}.jpg"),
        content_type: "image/jpeg".to_owned(),
        size: 300_000,
        dimensions: Some((1600, 1200)),
        voice: false,
        remote: Some(RemoteFile {
            url: format!("http://filev2.getsession.org/file/{number}"),
            key: Zeroizing::new(digest(b"key", number).to_vec()),
            digest: None,
        }),
        file: None,
        original: None,
        pointer: None,
    }
}

/// A contact as the document has it.
fn entry(data: &ContactData, listed: bool) -> Contact {
    let mut contact = Contact::new(data.id);
    contact.name = data.profile.name.clone();
    contact.updated = Some(Timestamp::from_ms(data.profile.updated * 1000));
    contact.approved = data.approved;
    contact.approved_us = data.approved_me;
    contact.priority = if listed { Priority::NORMAL } else { Priority::HIDDEN };
    contact.created = Some(data.created);
    contact
}
