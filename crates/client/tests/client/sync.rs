//! One account on two devices: what is changed on one is so on the other.

use std::sync::Arc;

use septet_client::client::ClientError;
use septet_client::event::Event;
use septet_client::model::{Conversation, Page};
use septet_protocol::account::DisplayName;
use septet_protocol::id::{Account, MessageHash, Namespace, SessionId};

use crate::world::{PATIENCE, Person, With, World};

/// Alice on two devices, and Bob, whom she knows.
struct Household {
    world: World,
    first: Person,
    second: Person,
    bob: Person,
    with_bob: SessionId,
}

impl Household {
    async fn new() -> Self {
        let world = World::new().await;
        let (first, bob) = world.friends().await;
        assert!(first.client.flush(PATIENCE).await.unwrap());
        let (second, _) = world.second_device(&first).await;
        second.client.sync_once(PATIENCE).await.unwrap();
        let with_bob = bob.id();
        Self { world, first, second, bob, with_bob }
    }

    /// Both devices have told each other all they have to say.
    async fn settle(&self) {
        for device in [&self.first, &self.second, &self.first, &self.second] {
            device.client.sync_once(PATIENCE).await.unwrap();
        }
    }

    /// What the first device has to say reaches the second.
    async fn tell(&self) {
        assert!(self.first.client.flush(PATIENCE).await.unwrap());
        self.second.client.sync_once(PATIENCE).await.unwrap();
    }

    /// The conversation with Bob on the second device.
    async fn seen(&self) -> Conversation {
        look(&self.second, self.with_bob).await
    }

    /// What Alice's devices have stored in her swarm.
    fn stores(&self) -> u64 {
        stores(&self.world, &self.first)
    }
}

/// What somebody's devices have stored in their swarm.
fn stores(world: &World, owner: &Person) -> u64 {
    world.net.requests_of(&Account::from(owner.id())).get("store").copied().unwrap_or_default()
}

pub async fn look(device: &Person, id: SessionId) -> Conversation {
    device.client.conversation(device.client.with(id).await).await.unwrap().unwrap()
}

pub fn name(name: &str) -> DisplayName {
    DisplayName::parse(name).unwrap()
}

/// What configs sync of a conversation.
pub fn synced(it: Conversation) -> (String, Option<String>, i64, bool, [bool; 3], bool) {
    let flags = [it.approved, it.approved_me, it.blocked];
    (it.name, it.nickname, it.pinned, it.hidden, flags, it.marked_unread)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_for_a_contact_here_is_set_there() {
    let home = Household::new().await;
    let (here, id) = (&home.first.client, home.with_bob);
    let known = home.seen().await;
    assert!(known.approved && known.approved_me && known.name == "Bob");

    here.set_nickname(here.with(id).await, Some(name("Bobby"))).await.unwrap();
    here.pin(here.with(id).await, true).await.unwrap();
    let until = here.now() + 3_600_000;
    here.mute(here.with(id).await, Some(until)).await.unwrap();
    here.block(here.with(id).await).await.unwrap();
    here.mark_unread(here.with(id).await, true).await.unwrap();
    home.tell().await;
    let there = home.seen().await;
    assert_eq!((there.nickname.as_deref(), there.pinned), (Some("Bobby"), 1));
    assert_eq!(there.muted_until.map(|at| at.as_secs()), Some(until.as_secs()));
    assert!(there.blocked && there.marked_unread);

    here.set_nickname(here.with(id).await, None).await.unwrap();
    here.pin(here.with(id).await, false).await.unwrap();
    here.mute(here.with(id).await, None).await.unwrap();
    here.unblock(here.with(id).await).await.unwrap();
    here.mark_unread(here.with(id).await, false).await.unwrap();
    home.tell().await;
    let there = home.seen().await;
    assert_eq!((there.nickname, there.pinned, there.muted_until), (None, 0, None));
    assert!(!there.blocked && !there.marked_unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn note_to_self_is_shown_pinned_and_hidden_everywhere() {
    let home = Household::new().await;
    let note = home.first.id();
    home.first.says(&home.first, "milk").await;
    home.first.client.pin(home.first.client.with(note).await, true).await.unwrap();
    home.tell().await;
    assert_eq!(look(&home.second, note).await.pinned, 1);
    home.first.client.hide(home.first.client.with(note).await).await.unwrap();
    home.tell().await;
    assert!(!look(&home.second, note).await.is_listed());
}

/// A green picture, three times as wide as high.
pub fn picture() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(1200, 400, image::Rgb([20, 200, 20]));
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Waits until `id` is shown to `device` with a picture, and returns its sides.
pub async fn sees_picture(device: &mut Person, id: SessionId) -> (u32, u32) {
    let own = id == device.id();
    loop {
        let shown = match own {
            true => device.client.profile().await.unwrap().picture,
            false => look(device, id).await.picture,
        };
        if let Some(shown) = shown {
            let file = device.client.picture(&shown).await.unwrap();
            return image::load_from_memory(&file).map(|it| (it.width(), it.height())).unwrap();
        }
        device
            .waits("the picture", |event| {
                matches!(event, Event::Profile | Event::Conversation(_)).then_some(())
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_picture_reaches_our_devices_and_our_contacts() {
    let Household { world: _net, mut first, mut second, mut bob, .. } = Household::new().await;
    let alice = first.id();
    let refused = first.client.set_picture(Some(b"hello".to_vec())).await;
    assert!(matches!(refused, Err(ClientError::Refused(_))));
    first.client.set_picture(Some(picture())).await.unwrap();
    assert_eq!(sees_picture(&mut first, alice).await, (400, 400));
    assert!(first.client.flush(PATIENCE).await.unwrap());
    second.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(sees_picture(&mut second, alice).await, (400, 400));
    first.says(&bob, "look at me").await;
    bob.hears("look at me").await;
    assert_eq!(sees_picture(&mut bob, alice).await, (400, 400));

    // And it is gone everywhere when it is removed.
    second.client.set_picture(None).await.unwrap();
    assert!(second.client.flush(PATIENCE).await.unwrap());
    first.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(first.client.profile().await.unwrap().picture, None);
    first.says(&bob, "gone").await;
    bob.hears("gone").await;
    assert_eq!(look(&bob, alice).await.picture, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_conversation_and_a_deleted_contact_are_gone_everywhere() {
    let home = Household::new().await;
    let (here, id) = (&home.first.client, home.with_bob);
    assert_eq!(home.second.texts(home.bob.id()).await, ["hi", "hello"]);
    here.delete_conversation(here.with(id).await).await.unwrap();
    home.tell().await;
    let there = home.seen().await;
    assert!(there.hidden && there.approved);
    assert!(home.second.texts(home.bob.id()).await.is_empty());

    here.delete_contact(here.with(id).await).await.unwrap();
    home.tell().await;
    let there = home.seen().await;
    assert!(!there.approved && !there.approved_me && !there.is_listed());
    // Nothing brings it back.
    home.settle().await;
    assert!(!home.seen().await.approved);
    assert!(!look(&home.first, id).await.approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_here_is_read_there_and_never_unread_again() {
    let mut home = Household::new().await;
    home.bob.says(&home.first, "one").await;
    home.bob.says(&home.first, "two").await;
    home.first.hears("one").await;
    home.first.hears("two").await;
    home.second.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(home.seen().await.unread, 3, "with the first hello");
    let page = home
        .first
        .client
        .messages(home.first.client.with(home.with_bob).await, Page::Newest, 10)
        .await
        .unwrap();
    let [.., one, two] = page.messages.as_slice() else { panic!("not two messages") };
    home.first.client.mark_read(home.first.client.with(home.with_bob).await, two.id).await.unwrap();
    home.first.client.mark_read(home.first.client.with(home.with_bob).await, one.id).await.unwrap();
    home.tell().await;
    assert_eq!(home.seen().await.unread, 0);
    home.settle().await;
    assert_eq!((home.seen().await.unread, look(&home.first, home.with_bob).await.unread), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_apart_come_together() {
    let home = Household::new().await;
    home.settle().await;
    let id = home.with_bob;
    home.world.net.network_down(true);
    home.first.client.set_nickname(home.first.client.with(id).await, Some(name("Bobby"))).await.unwrap();
    home.first.client.mark_unread(home.first.client.with(id).await, true).await.unwrap();
    home.second.client.pin(home.second.client.with(id).await, true).await.unwrap();
    home.second.client.block(home.second.client.with(id).await).await.unwrap();
    home.second.client.set_name(name("Alice B")).await.unwrap();
    home.world.net.network_down(false);
    home.settle().await;
    let (here, there) = (look(&home.first, id).await, look(&home.second, id).await);
    assert_eq!((here.nickname.as_deref(), here.pinned), (Some("Bobby"), 1));
    assert!(here.blocked && here.marked_unread);
    assert_eq!(synced(here), synced(there));
    assert_eq!(home.first.client.profile().await.unwrap().name, "Alice B");
    let me = Account::from(home.first.id());
    for namespace in [Namespace::USER_PROFILE, Namespace::CONTACTS, Namespace::CONVO_INFO_VOLATILE] {
        assert_eq!(home.world.net.messages_of(&me, namespace).len(), 1, "what is replaced is deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_change_is_one_push_and_nothing_answers_it() {
    let home = Household::new().await;
    home.settle().await;
    home.world.net.reset_requests();
    home.settle().await;
    assert_eq!(home.stores(), 0, "nothing changed");
    home.first
        .client
        .set_nickname(home.first.client.with(home.with_bob).await, Some(name("Bobby")))
        .await
        .unwrap();
    home.settle().await;
    home.settle().await;
    assert_eq!(home.stores(), 1);
    assert_eq!(home.seen().await.nickname.as_deref(), Some("Bobby"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_could_not_be_pushed_survives_the_end_of_the_program() {
    let home = Household::new().await;
    let Household { world, first, second, with_bob, .. } = home;
    world.net.network_down(true);
    first.client.set_nickname(first.client.with(with_bob).await, Some(name("Bobby"))).await.unwrap();
    first.client.pin(first.client.with(with_bob).await, true).await.unwrap();
    let first = world.reopen(first).await;
    world.net.network_down(false);
    first.client.sync_once(PATIENCE).await.unwrap();
    second.client.sync_once(PATIENCE).await.unwrap();
    let there = look(&second, with_bob).await;
    assert_eq!((there.nickname.as_deref(), there.pinned), (Some("Bobby"), 1));
}

/// What a swarm keeps of somebody's contacts.
fn contacts_in_swarm(world: &World, me: &Account) -> Vec<(MessageHash, Arc<[u8]>)> {
    let messages = world.net.messages_of(me, Namespace::CONTACTS);
    messages.into_iter().map(|message| (message.hash, message.data)).collect()
}

/// Takes what it keeps of them from every member; that.
fn lose_contacts(world: &World, me: &Account) -> Vec<(MessageHash, Arc<[u8]>)> {
    let lost = contacts_in_swarm(world, me);
    for node in world.net.swarm_of(me) {
        lost.iter().for_each(|(hash, _)| assert!(node.forget(me, *hash)));
    }
    assert!(!lost.is_empty() && contacts_in_swarm(world, me).is_empty());
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_swarm_lost_is_put_back_as_it_was() {
    let home = Household::new().await;
    home.settle().await;
    let Household { world, first, .. } = home;
    let me = Account::from(first.id());
    let there = || contacts_in_swarm(&world, &me);
    let lost = lose_contacts(&world, &me);
    world.net.reset_requests();
    let first = world.reopen(first).await;
    let put_back = async {
        while there().is_empty() {
            first.client.sync_once(PATIENCE).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, put_back).await.unwrap();
    assert_eq!(there(), lost, "the same bytes under the same name");
    first.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(stores(&world, &first), 1, "and no other config");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_keeps_what_is_lost_from_being_put_back_until_the_next_start() {
    let home = Household::new().await;
    home.settle().await;
    let Household { world, first, second, .. } = home;
    second.client.stop().await;
    let me = Account::from(first.id());
    let first = world.rest(first).await;
    let lost = lose_contacts(&world, &me);
    // It may be from a newer version, which knows better.
    let now = world.net.now();
    let newer = world.net.deliver(&me, Namespace::CONTACTS, vec![7; 300], now, now + 1_000_000_000);
    world.net.reset_requests();
    let asked = || world.net.requests_of(&me).get("expire").copied().unwrap_or_default();
    while asked() == 0 {
        first.client.sync_once(PATIENCE).await.unwrap();
    }
    for _ in 0..3 {
        first.client.sync_once(PATIENCE).await.unwrap();
    }
    assert_eq!(stores(&world, &first), 0);
    let first = world.reopen(first).await;
    let put_back = async {
        while contacts_in_swarm(&world, &me).len() == 1 {
            first.client.sync_once(PATIENCE).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, put_back).await.unwrap();
    let there = contacts_in_swarm(&world, &me);
    assert!(there.len() == 1 + lost.len() && lost.iter().all(|it| there.contains(it)));
    assert!(there.iter().any(|(hash, _)| *hash == newer), "and what is newer stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_device_has_just_replaced_is_not_taken_for_lost() {
    let home = Household::new().await;
    home.settle().await;
    let Household { world, first, second, bob, .. } = home;
    let (me, with_bob) = (Account::from(first.id()), first.client.with(bob.id()).await);
    let there = || world.net.messages_of(&me, Namespace::CONTACTS);
    let replaced = there();
    // The second device starts; it has polled, and asks for what it knows to be kept longer.
    let asking = world.net.hold("expire");
    let second = world.reopen(second).await;
    asking.until_held(1).await;
    // Before that is answered the first one replaces it, and no device hears of that.
    let polling = world.net.hold("retrieve");
    world.net.reset_requests();
    first.client.set_nickname(with_bob, Some(name("Bobby"))).await.unwrap();
    assert!(first.client.flush(PATIENCE).await.unwrap());
    let current = there();
    assert!(replaced.iter().all(|old| !current.contains(old)), "it is deleted");
    drop(asking);
    drop(polling);
    for device in [&second, &first, &second, &first] {
        device.client.sync_once(PATIENCE).await.unwrap();
    }
    assert_eq!(there(), current, "nothing came back, and nothing was made of both");
    assert_eq!(stores(&world, &first), 1);
    let seen = look(&second, bob.id()).await;
    assert_eq!(seen.nickname.as_deref(), Some("Bobby"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_account_knows_its_people_again() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    let (carol, dave) = (world.person("Carol").await, world.person("Dave").await);
    let [with_bob, with_carol, with_dave] = [&bob, &carol, &dave].map(|it| it.id());
    alice.says(&carol, "hi Carol").await;
    carol.client.sync_once(PATIENCE).await.unwrap();
    carol.says(&alice, "hi Alice").await;
    alice.hears("hi Alice").await;
    alice.client.block(alice.client.with(with_carol).await).await.unwrap();
    alice.client.set_nickname(alice.client.with(with_bob).await, Some(name("Bobby"))).await.unwrap();
    alice.client.pin(alice.client.with(with_bob).await, true).await.unwrap();
    dave.says(&alice, "who are you?").await;
    let request = alice.client.with(with_dave).await;
    alice
        .waits("the request", |event| matches!(event, Event::Request(id) if id == request).then_some(()))
        .await;
    bob.says(&alice, "read this").await;
    let read = alice.hears("read this").await;
    alice.client.mark_read(alice.client.with(with_bob).await, read.id).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());

    let (restored, _) = world.second_device(&alice).await;
    let it = look(&restored, with_bob).await;
    assert_eq!((it.name.as_str(), it.nickname.as_deref(), it.pinned), ("Bob", Some("Bobby"), 1));
    assert!(it.approved && it.approved_me && it.unread == 0);
    assert!(look(&restored, with_carol).await.blocked);
    assert!(look(&restored, with_dave).await.is_request());
    for id in [with_bob, with_carol, with_dave] {
        assert_eq!(synced(look(&restored, id).await), synced(look(&alice, id).await));
    }
    // Blocked stays blocked.
    carol.says(&alice, "let me in").await;
    restored.client.sync_once(PATIENCE).await.unwrap();
    assert!(!restored.texts(carol.id()).await.contains(&"let me in".to_owned()));
}
