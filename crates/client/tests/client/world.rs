//! A network with people on it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use septet_client::client::{Client, ClientError, KeyProtection, OpenOptions, RestoreStage};
use septet_client::event::Event;
use septet_client::model::{
    Attachment, AttachmentState, ConversationId, Downloads, Draft, Message, MessageId, MessageState,
    OutgoingFile, Page,
};
use septet_devnet::{Devnet, FileServerKind};
use septet_network::{MachineClock, NetworkConfig};
use septet_protocol::account::{AccountKeys, DisplayName, parse_recovery};
use septet_protocol::crypto::{SystemRandom, session};
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, encode_one_to_one};
use septet_protocol::time::Timestamp;
use septet_protocol::wire::{Message as _, proto};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Long enough for a loaded machine and a few retries; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The last time that was given to something stored by hand, ms.
static STORED: AtomicU64 = AtomicU64::new(0);

/// A network of its own for one test.
pub struct World {
    pub net: Devnet,
}

impl World {
    pub async fn new() -> Self {
        Self::with_files(FileServerKind::Live).await
    }

    /// With a file server of this kind.
    pub async fn with_files(kind: FileServerKind) -> Self {
        // What nodes wait for each other is shortened, so that a dead one costs a moment and not half a minute.
        let (relay, member) = (Duration::from_secs(2), Duration::from_millis(500));
        let builder = Devnet::builder().relay_patience(relay).member_patience(member).file_server(kind);
        Self { net: builder.start().await.unwrap() }
    }

    /// Waits until the seed was asked for the list of nodes so often.
    pub async fn until_seed_asked(&self, times: u64) {
        let asked = async {
            while self.net.seed_requests() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("the seed is never asked");
    }

    pub fn options(&self) -> OpenOptions {
        self.options_on(MachineClock::default())
    }

    fn options_on(&self, machine: MachineClock) -> OpenOptions {
        let network = NetworkConfig::from_toml(&self.net.network_toml()).unwrap().on_machine(machine);
        OpenOptions { network, key_protection: KeyProtection::KeyFile }
    }

    /// A new account that runs.
    pub async fn person(&self, name: &str) -> Person {
        let person = self.resting_person(name).await;
        person.client.start();
        person
    }

    /// A new account that does not run yet.
    pub async fn resting_person(&self, name: &str) -> Person {
        self.resting_person_on(name, MachineClock::default()).await
    }

    /// A new account that does not run yet, on a machine with this clock.
    pub async fn resting_person_on(&self, name: &str, machine: MachineClock) -> Person {
        let folder = tempfile::tempdir().unwrap();
        let (name, options) = (DisplayName::parse(name).unwrap(), self.options_on(machine));
        let client = Client::create(&folder.path().join("profile"), &name, options).await.unwrap();
        Person::new(client, folder)
    }

    /// The same account, opened again from its folder and started.
    pub async fn reopen(&self, person: Person) -> Person {
        let person = self.rest(person).await;
        person.client.start();
        person
    }

    /// The same account, opened again from its folder and not started.
    pub async fn rest(&self, person: Person) -> Person {
        let Person { client, folder, .. } = person;
        client.stop().await;
        let client = Client::open(&folder.path().join("profile"), self.options()).await.unwrap();
        Person::new(client, folder)
    }

    /// The same account, opened from its folder after its program just ended without saying so; not started.
    pub async fn crash(&self, person: Person) -> Person {
        let Person { client, folder, events } = person;
        drop((client, events));
        self.open(folder).await
    }

    /// The account of a folder, not started.
    pub async fn open(&self, folder: TempDir) -> Person {
        self.open_on(folder, MachineClock::default()).await
    }

    /// The account of a folder, not started, on a machine with this clock.
    pub async fn open_on(&self, folder: TempDir, machine: MachineClock) -> Person {
        let profile = folder.path().join("profile");
        let open = async {
            loop {
                match Client::open(&profile, self.options_on(machine.clone())).await {
                    // What was dropped ends in the background.
                    Err(ClientError::InUse) => tokio::time::sleep(Duration::from_millis(2)).await,
                    opened => return opened.unwrap(),
                }
            }
        };
        let client = tokio::time::timeout(PATIENCE, open).await.expect("the folder is never free");
        Person::new(client, folder)
    }

    /// The same account on another device, and how its restore went.
    pub async fn second_device(&self, person: &Person) -> (Person, Vec<RestoreStage>) {
        self.second_device_on(person, MachineClock::default()).await
    }

    /// The same account on another device, whose machine has this clock.
    pub async fn second_device_on(
        &self,
        person: &Person,
        machine: MachineClock,
    ) -> (Person, Vec<RestoreStage>) {
        let folder = tempfile::tempdir().unwrap();
        let recovery = person.client.recovery().await.unwrap();
        let seed = parse_recovery(&recovery.phrase).unwrap();
        let stages = Mutex::new(Vec::new());
        let profile = folder.path().join("profile");
        let tell = |stage| stages.lock().unwrap().push(stage);
        let options = self.options_on(machine);
        let client = Client::restore(&profile, seed, None, options, tell).await.unwrap();
        (Person::new(client, folder), stages.into_inner().unwrap())
    }

    /// Stores a message in the receiver's swarm as if one of the sender's devices had sent it just now; its sent
    /// timestamp.
    pub async fn stores(&self, from: &Person, to: &Person, content: Content) -> Timestamp {
        // Two of one millisecond would be one message.
        let now = self.net.now();
        let last = STORED.fetch_max(now, Ordering::Relaxed);
        let at = if last < now { now } else { STORED.fetch_add(1, Ordering::Relaxed) + 1 };
        let at = Timestamp::from_ms(at);
        self.stores_outgoing(from, to, &Outgoing::new(content, at)).await;
        at
    }

    /// As [`World::stores`], with all that belongs to a message.
    pub async fn stores_outgoing(&self, from: &Person, to: &Person, message: &Outgoing) {
        let keys = from.keys().await;
        let bytes = encode_one_to_one(message, &keys, &to.id(), &mut SystemRandom).unwrap();
        let expiry = self.net.now() + message.ttl_ms();
        self.net.deliver(&Account::from(to.id()), Namespace::MESSAGES, bytes, self.net.now(), expiry);
    }

    /// As [`World::stores`], a content of these bytes, whatever they say.
    pub async fn stores_raw(&self, from: &Person, to: &Person, content: &[u8]) {
        let (keys, now) = (from.keys().await, self.net.now());
        let padded = [content, &[0x80]].concat();
        let sealed =
            session::encrypt_for_recipient(&padded, &keys.ed25519, &to.id().x25519(), &mut SystemRandom)
                .unwrap();
        let envelope = proto::Envelope {
            kind: Some(6),
            timestamp: Some(now),
            content: Some(sealed),
            ..Default::default()
        };
        let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
        let data = proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec();
        self.net.deliver(&Account::from(to.id()), Namespace::MESSAGES, data, now, now + 1_000_000_000);
    }

    /// Two accounts that accepted each other and let each other's files come.
    pub async fn friends(&self) -> (Person, Person) {
        self.friends_on([MachineClock::default(), MachineClock::default()]).await
    }

    /// The same, on machines with these clocks.
    pub async fn friends_on(&self, machines: [MachineClock; 2]) -> (Person, Person) {
        let [of_alice, of_bob] = machines;
        let mut alice = self.resting_person_on("Alice", of_alice).await;
        let mut bob = self.resting_person_on("Bob", of_bob).await;
        alice.client.start();
        bob.client.start();
        alice.says(&bob, "hi").await;
        bob.hears("hi").await;
        bob.says(&alice, "hello").await;
        alice.hears("hello").await;
        for (one, other) in [(&alice, bob.id()), (&bob, alice.id())] {
            let with = one.client.with(other).await;
            one.client.set_downloads(with, Downloads::Automatic).await.unwrap();
        }
        (alice, bob)
    }
}

/// Conversations by whom they are with.
pub trait With {
    /// The number of the conversation with somebody on this device; made if there is none.
    async fn with(&self, id: SessionId) -> ConversationId;
}

impl With for Client {
    async fn with(&self, id: SessionId) -> ConversationId {
        self.make_conversation(&id.into()).await.unwrap()
    }
}

/// An account and what it hears of.
pub struct Person {
    pub client: Client,
    pub folder: TempDir,
    events: Receiver<Event>,
}

impl Person {
    pub fn new(client: Client, folder: TempDir) -> Self {
        let events = client.subscribe();
        Self { client, folder, events }
    }

    pub fn id(&self) -> SessionId {
        self.client.id()
    }

    /// The account's keys.
    pub async fn keys(&self) -> AccountKeys {
        let recovery = self.client.recovery().await.unwrap();
        parse_recovery(&recovery.phrase).unwrap().keys()
    }

    /// Sends a text and waits until the other's swarm has it.
    pub async fn says(&self, to: &Person, text: &str) -> Message {
        let id = self.writes(to, text).await;
        self.client.wait_sent(id, PATIENCE).await.unwrap()
    }

    /// Sends a text without waiting.
    pub async fn writes(&self, to: &Person, text: &str) -> MessageId {
        let draft = Draft { text: text.to_owned(), ..Draft::default() };
        self.client.send(self.client.with(to.id()).await, draft).await.unwrap()
    }

    /// Sends a file and waits until it is sent.
    pub async fn hands(&self, to: &Person, name: &str, bytes: Vec<u8>) -> Message {
        let file = OutgoingFile::Bytes {
            name: name.to_owned(),
            content_type: "application/octet-stream".to_owned(),
            bytes,
        };
        let draft = Draft { files: vec![file], ..Draft::default() };
        let id = self.client.send(self.client.with(to.id()).await, draft).await.unwrap();
        self.client.wait_sent(id, PATIENCE).await.unwrap()
    }

    /// Waits for the next event that `wanted` turns into something.
    pub async fn waits<T>(&mut self, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                match self.events.recv().await {
                    Ok(event) => {
                        if let Some(found) = wanted(event) {
                            return found;
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("the client ended while waiting for {what}"),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not come"),
        }
    }

    /// Waits for any event, however long it takes.
    pub async fn hears_of_anything(&mut self) {
        // Those that were missed tell of something as well.
        assert_ne!(self.events.recv().await.err(), Some(RecvError::Closed), "the client ended");
    }

    /// Waits for any message.
    pub async fn next_message(&mut self) -> Message {
        self.waits("a message", |event| match event {
            Event::Message(message) if !message.outgoing && message.notice.is_none() => Some(*message),
            _ => None,
        })
        .await
    }

    /// Waits for a message with files.
    pub async fn next_message_with_files(&mut self) -> Message {
        self.waits("a message with files", |event| match event {
            Event::Message(message) if !message.outgoing && !message.attachments.is_empty() => Some(*message),
            _ => None,
        })
        .await
    }

    /// Waits for a message with this text.
    pub async fn hears(&mut self, text: &str) -> Message {
        self.waits(&format!("{text:?}"), |event| match event {
            Event::Message(message) if message.text == text => Some(*message),
            _ => None,
        })
        .await
    }

    /// Waits until an attachment is on the disk, and reads it.
    pub async fn receives(&mut self, attachment: &Attachment) -> Vec<u8> {
        if attachment.state != AttachmentState::Local {
            let id = attachment.id;
            self.waits("the attachment", |event| match event {
                Event::Attachment { attachment, state: AttachmentState::Local, .. } => {
                    (attachment == id).then_some(())
                }
                _ => None,
            })
            .await;
        }
        self.client.attachment_bytes(attachment.id).await.unwrap().to_vec()
    }

    /// All texts of the conversation with somebody, oldest first; notices left out.
    pub async fn texts(&self, with: SessionId) -> Vec<String> {
        let page = self.client.messages(self.client.with(with).await, Page::Newest, 100_000).await.unwrap();
        let said = page.messages.into_iter().filter(|message| message.notice.is_none());
        said.map(|message| message.text).collect()
    }

    /// How far a message is.
    pub async fn state(&self, id: MessageId) -> MessageState {
        self.client.message(id).await.unwrap().unwrap().state
    }
}
