//! Devices of one account on a swarm in memory. A device is its database, and nothing else: whatever it was doing can
//! end after any step, as if the program had been killed there.

use septet_protocol::config::ConvoId;
use septet_protocol::swarm::message_hash;

use super::*;

/// Everything a swarm keeps of the account's configs, in the order of its arrival.
#[derive(Default)]
pub struct Swarm {
    rows: Vec<(u64, Namespace, StoredMessage)>,
    arrived: u64,
    /// How often something was stored.
    pub stores: usize,
}

impl Swarm {
    pub fn store(&mut self, me: SessionId, namespace: Namespace, data: &[u8]) -> MessageHash {
        let hash = message_hash(&Account::from(me), namespace, data);
        self.stores += 1;
        if !self.rows.iter().any(|(_, _, message)| message.hash == hash) {
            self.arrived += 1;
            let data = data.to_vec();
            let message = StoredMessage { hash, data, timestamp: NOW, expiry: NOW + 1_000_000 };
            self.rows.push((self.arrived, namespace, message));
        }
        hash
    }

    fn delete(&mut self, hashes: &[StorageHash]) {
        self.rows.retain(|(_, _, message)| !hashes.contains(&StorageHash::from(message.hash)));
    }

    /// What there is in a namespace.
    pub fn messages(&self, namespace: Namespace) -> Vec<&StoredMessage> {
        self.rows.iter().filter(|row| row.1 == namespace).map(|(_, _, message)| message).collect()
    }
}

/// A count of steps until the program is killed.
pub struct Life(pub usize);

impl Life {
    /// Longer than anything takes.
    pub fn long() -> Self {
        Self(usize::MAX)
    }

    /// One more step; `None` if it is not done any more.
    fn step(&mut self) -> Option<()> {
        self.0 = self.0.checked_sub(1)?;
        Some(())
    }
}

/// One device.
pub struct Device {
    pub documents: Documents,
    pub db: Db,
    /// How far it has read each namespace.
    marks: BTreeMap<Namespace, u64>,
}

/// What a device shows of somebody.
type Shown = (String, Option<String>, [bool; 3], Option<i64>, (Option<u64>, Expiry), bool, Option<String>);

impl Device {
    pub fn new() -> Self {
        let (documents, db) = device();
        Self { documents, db, marks: BTreeMap::new() }
    }

    /// Changes something about a conversation as a person does it.
    pub fn change(&mut self, id: SessionId, f: impl FnOnce(&mut Db) -> Result<(), StoreError>) {
        let documents = self.documents.clone();
        let change = |db: &mut Db| {
            f(db)?;
            documents.conversations_changed(db, &BTreeMap::from([(id, NOW)]), Now::Known(NOW))
        };
        self.db.transaction(change).unwrap();
    }

    /// As [`Device::change`], of what is set for a conversation, which is made if there is none.
    pub fn set(
        &mut self,
        id: SessionId,
        f: impl FnOnce(&mut Db, ConversationId) -> Result<bool, StoreError>,
    ) {
        self.change(id, |db| {
            let conversation = with(db, id);
            f(db, conversation).map(drop)
        });
    }

    /// Notes a read state as a person changes it.
    pub fn read(&mut self, id: SessionId, up_to: Timestamp, unread: bool) {
        let documents = self.documents.clone();
        let read = |db: &mut Db| {
            let id = with(db, id);
            db.apply_read_mark(id, up_to, unread, Now::Known(NOW))?;
            documents.read_changed(db, id, Now::Known(NOW))
        };
        self.db.transaction(read).unwrap();
    }

    /// Deletes a contact as a person does it.
    pub fn delete_contact(&mut self, id: SessionId) {
        let documents = self.documents.clone();
        self.change(id, |db| {
            db.delete_contact(id)?;
            documents.contact_deleted(db, id, NOW)
        });
    }

    /// Fetches what is new, namespace by namespace, in the order of spec 05 §1.
    pub fn poll(&mut self, swarm: &Swarm, life: &mut Life) -> Option<()> {
        for kind in Kind::ALL {
            life.step()?;
            let namespace = kind.namespace();
            let mark = self.marks.get(&namespace).copied().unwrap_or_default();
            let rows = || swarm.rows.iter().filter(|row| row.1 == namespace);
            // A mark that the swarm does not know any more means from the beginning.
            let from = if rows().any(|row| row.0 == mark) { mark } else { 0 };
            let news: Vec<StoredMessage> =
                rows().filter(|row| row.0 > from).map(|(_, _, message)| message.clone()).collect();
            if let Some(last) = rows().map(|row| row.0).max() {
                self.documents.merge(&mut self.db, namespace, &news, NOW).unwrap();
                self.marks.insert(namespace, last);
            }
        }
        Some(())
    }

    /// Pushes what is to be pushed: as the engine does, in steps of which each may be the last.
    pub fn push(&mut self, swarm: &mut Swarm, life: &mut Life) -> Option<()> {
        life.step()?;
        let ToPush { parts, refused } = self.documents.take_parts(&mut self.db, NOW).unwrap();
        assert!(refused.is_empty());
        let mut pushed = Vec::new();
        for part in parts {
            let mut stored = Vec::new();
            for data in &part.messages {
                life.step()?;
                let hash = swarm.store(self.documents.me, part.namespace, data);
                stored.push(StorageHash::from(hash));
            }
            let Part { namespace, seqno, obsolete, .. } = part;
            pushed.push(Pushed { namespace, seqno, stored: Some(stored), obsolete });
        }
        life.step()?;
        pushed.iter().for_each(|part| swarm.delete(&part.obsolete));
        life.step()?;
        self.documents.set.finish_push(&mut self.db, &pushed, true).unwrap();
        life.step()
    }

    /// What the swarm took but did not delete.
    pub fn push_without_deletion(&mut self, swarm: &mut Swarm) {
        let ToPush { parts, .. } = self.documents.take_parts(&mut self.db, NOW).unwrap();
        let store = |Part { namespace, seqno, messages, obsolete, .. }: Part| {
            let me = self.documents.me;
            let stored = messages.iter().map(|data| StorageHash::from(swarm.store(me, namespace, data)));
            Pushed { namespace, seqno, stored: Some(stored.collect()), obsolete }
        };
        let pushed: Vec<Pushed> = parts.into_iter().map(store).collect();
        self.documents.set.finish_push(&mut self.db, &pushed, false).unwrap();
    }

    /// Everything the devices of an account are to agree on, as it is shown.
    pub fn shown(&self) -> (String, Option<String>, BTreeMap<SessionId, Shown>) {
        let own = self.db.profile_of(self.documents.me).unwrap().unwrap_or_default();
        let marks = self.db.read_marks().unwrap();
        let mut all: BTreeMap<SessionId, Shown> = BTreeMap::new();
        let contacts: Contacts = self.documents.set.load(&self.db).unwrap();
        let shared = |row: &crate::store::ContactData| contacts.get(&row.id).is_some();
        for row in self.db.contacts().unwrap().into_iter().filter(shared) {
            let unread = marks.iter().any(|mark| mark.address == row.id.into() && mark.marked_unread);
            let flags = [row.approved, row.approved_me, row.blocked];
            let muted = row.muted_until.map(Timestamp::as_secs);
            let picture = row.profile.picture.map(|picture| picture.url);
            let timers = (muted, row.expiry);
            let shown = (row.profile.name, row.nickname, flags, row.priority, timers, unread, picture);
            all.insert(row.id, shown);
        }
        let note = self.db.conversation_at(&self.documents.me.into()).unwrap();
        if let Some(note) = note.filter(|note| !note.hidden || note.expiry != Expiry::Off) {
            let priority = Some(if note.hidden { -1 } else { note.pinned });
            let shown = (String::new(), None, [true; 3], priority, (None, note.expiry), false, None);
            all.insert(self.documents.me, shown);
        }
        (own.name, own.picture.map(|picture| picture.url), all)
    }

    /// Documents and tables say the same, or it is noted that they will.
    pub fn check(&self) {
        let contacts: Contacts = self.documents.set.load(&self.db).unwrap();
        let noted: BTreeMap<SessionId, Timestamp> = self.db.noted_contacts().unwrap().into_iter().collect();
        for row in self.db.contacts().unwrap().into_iter().filter(|row| !noted.contains_key(&row.id)) {
            match contacts.get(&row.id) {
                Some(contact) => assert!(contacts::agrees(&contact, &row), "{contact:?}"),
                None => assert!(!contacts::belongs(&row), "{:?} is in the tables only", row.id),
            }
        }
        let states: ConvoInfoVolatile = self.documents.set.load(&self.db).unwrap();
        let noted: BTreeMap<ConversationId, Timestamp> = self.db.noted_reads().unwrap().into_iter().collect();
        let marks = self.db.read_marks().unwrap().into_iter();
        for mark in marks.filter(|mark| !noted.contains_key(&mark.conversation)) {
            let state = states.get(&ConvoId::OneToOne(mark.address.account().unwrap())).unwrap_or_default();
            assert_eq!(mark.marked_unread, state.unread, "{:?}", mark.conversation);
            assert!(mark.last_read >= state.last_read, "{:?} went back", mark.conversation);
        }
        let profile: UserProfile = self.documents.set.load(&self.db).unwrap();
        let own = self.db.profile_of(self.documents.me).unwrap().unwrap_or_default();
        assert_eq!(own.name, profile.name().unwrap_or_default());
        assert!(own.picture.as_ref().and_then(contacts::picture) == profile.picture());
        if let Some(note) = self.db.conversation_at(&self.documents.me.into()).unwrap() {
            let priority = if note.hidden { -1 } else { note.pinned };
            assert_eq!(priority, profile.note_to_self_priority().0);
        }
    }
}

/// Lets all devices talk until there is nothing more to say, and checks what must be so then.
pub fn settle(swarm: &mut Swarm, devices: &mut [Device]) {
    let mut rounds = 0;
    loop {
        let before = swarm.stores;
        for device in devices.iter_mut() {
            device.poll(swarm, &mut Life::long()).unwrap();
            device.push(swarm, &mut Life::long()).unwrap();
        }
        if swarm.stores == before {
            break;
        }
        rounds += 1;
        assert!(rounds < 10, "they never agree");
    }
    let (first, others) = devices.split_first().unwrap();
    first.check();
    for other in others {
        other.check();
        assert_eq!(first.shown(), other.shown());
    }
    for kind in Kind::ALL {
        let stored = swarm.messages(kind.namespace());
        let config = first.documents.set.config(&first.db, kind.namespace()).unwrap();
        let active = config.active_hashes();
        assert_eq!(stored.len(), active.len(), "{kind:?}: only what is current");
        for device in devices.iter() {
            let config = device.documents.set.config(&device.db, kind.namespace()).unwrap();
            assert!(!config.needs_push());
            for hash in config.active_hashes() {
                assert!(stored.iter().any(|message| StorageHash::from(message.hash) == hash), "{kind:?}");
            }
        }
    }
    assert!(
        devices.iter().all(|device| {
            device.db.configs_to_push(Account::from(device.documents.me)).unwrap().is_empty()
        })
    );
}
