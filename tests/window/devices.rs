//! What is set about a conversation in the window, on a real network: it holds, and our other devices agree.

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::kittest::Queryable;
use septet_client::client::Client;
use septet_client::model::{Conversation, ConversationId, Draft};
use septet_devnet::Devnet;
use septet_protocol::account::{DisplayName, Seed};

use super::real::{PATIENCE, Real, label, options, request};
use super::sample;

/// Another device of ours, without a window.
struct Other {
    runtime: tokio::runtime::Runtime,
    client: Client,
    /// The only contact.
    contact: ConversationId,
}

impl Other {
    fn does<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Waits until it knows this of the contact.
    fn learns(&self, what: &str, holds: impl Fn(&Conversation) -> bool) {
        let wait = async {
            let mut events = self.client.subscribe();
            loop {
                if self.client.conversation(self.contact).await.unwrap().is_some_and(|it| holds(&it)) {
                    return;
                }
                events.recv().await.ok();
            }
        };
        self.does(async { tokio::time::timeout(PATIENCE, wait).await }).expect(what);
    }
}

/// A window with one contact, who has answered, and another device of ours.
fn with_a_contact(test: impl FnOnce(&mut Real, &Other)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let name = |name| DisplayName::parse(name).unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let (friend, client) = runtime.block_on(async {
        let friend = Client::create(&place("friend"), &name("Mara"), options(&net)).await.unwrap();
        friend.start();
        let seed = || Seed::from_bytes([7; 16]);
        let (own, other) = (place("own"), place("other"));
        let restore = |folder| Client::restore(folder, seed(), Some(name("Eva")), options(&net), |_| {});
        restore(&own).await.unwrap().stop().await;
        let other = restore(&other).await.unwrap();
        other.start();
        (friend, other)
    });
    let mut real = Real::open(&place("own"), options(&net));
    real.wait_label("Search or paste an ID");
    real.find(&friend.id().to_string());
    real.write("Hello Mara");
    runtime.block_on(async {
        let from = tokio::time::timeout(PATIENCE, request(&friend)).await.unwrap();
        friend.accept(from).await.unwrap();
        let draft = Draft { text: "Hello Eva".into(), ..Draft::default() };
        friend.send(from, draft).await.unwrap();
    });
    real.wait_label("Mara: Hello Eva");
    let contact = runtime.block_on(client.make_conversation(&friend.id().into())).unwrap();
    let other = Other { runtime, client, contact };
    test(&mut real, &other);
    real.close();
    other.runtime.block_on(async {
        other.client.stop().await;
        friend.stop().await;
        net.shutdown().await;
    });
}

fn row(real: &mut Real, label: &'static str) {
    real.wait(move |harness| harness.query_by_role_and_label(Role::ListItem, label));
}

fn no_row(real: &mut Real, label: &'static str) {
    real.wait_gone(move |harness| harness.query_by_role_and_label(Role::ListItem, label));
}

/// Clicks the last button of this name: that of the dialog.
fn press(real: &mut Real, label: &'static str) {
    real.wait(move |harness| harness.query_all_by_role_and_label(Role::Button, label).last()).click();
    real.harness.run_steps(3);
}

#[test]
fn what_is_set_in_the_window_holds() {
    with_a_contact(|real, _| {
        press(real, "Contact details");

        // A name that only we see is in the list and in the head at once.
        press(real, "Set nickname");
        real.harness.event(Event::Text("Mara from the lake".into()));
        real.harness.run_steps(2);
        real.harness.key_press(Key::Enter);
        real.harness.run_steps(2);
        row(real, "Mara from the lake");
        real.wait(|harness| harness.query_by_role_and_label(Role::Heading, "Mara from the lake"));
        real.wait_label("Public name: Mara");

        // Marked unread it says so, until it is opened again.
        press(real, "Mark as unread");
        row(real, "Mara from the lake, marked as unread");
        let other = sample::stranger_id();
        let title = other.short();
        real.find(&other.to_string());
        real.wait(|harness| harness.query_all_by_role(Role::Heading).find(|node| label(node) == title));
        real.find("Mara from");
        row(real, "Mara from the lake");

        // Muted and pinned.
        press(real, "Mute");
        real.click("Until you switch it on");
        real.wait_label("Unmute, Until you switch it on");
        press(real, "Pin");
        press(real, "Unpin");

        // Hidden it is out of the list, and found again in two ways.
        press(real, "Hide conversation");
        press(real, "Hide");
        no_row(real, "Mara from the lake");
        real.find("Mara from");
        real.wait_label("Mara from the lake: Hello Eva");
        press(real, "Hidden conversations, 1");
        row(real, "Mara from the lake, hidden");
        press(real, "Show in list");
        row(real, "Mara from the lake");

        // Blocked likewise.
        press(real, "Block");
        press(real, "Block");
        no_row(real, "Mara from the lake");
        press(real, "Blocked contacts, 1");
        row(real, "Mara from the lake, blocked");
        press(real, "Unblock");
        row(real, "Mara from the lake");

        // A deleted contact is gone, also for the search.
        press(real, "Delete contact");
        press(real, "Delete contact");
        real.wait_label("Search or paste an ID");
        real.search("Mara");
        no_row(real, "Mara from the lake");
        no_row(real, "Mara");
    });
}

#[test]
fn our_devices_agree_on_what_is_set() {
    with_a_contact(|real, other| {
        // What is set here is set there.
        press(real, "Contact details");
        press(real, "Set nickname");
        real.harness.event(Event::Text("Mara from the lake".into()));
        real.harness.run_steps(2);
        real.harness.key_press(Key::Enter);
        real.harness.run_steps(2);
        real.wait_label("Public name: Mara");
        other.learns("the nickname", |it| it.nickname.as_deref() == Some("Mara from the lake"));
        press(real, "Mark as unread");
        other.learns("that it is unread", |it| it.marked_unread);
        row(real, "Mara from the lake, marked as unread");
        press(real, "Pin");
        real.wait_label("Unpin");
        other.learns("that it is pinned", |it| it.pinned > 0);
        press(real, "Mute");
        real.click("8 hours");
        real.wait_label("Unmute, Until");
        other.learns("that it is muted", |it| it.muted_until.is_some());
        press(real, "Block");
        press(real, "Block");
        other.learns("that they are blocked", |it| it.blocked && !it.is_listed());

        // And the other way round.
        other.does(other.client.unblock(other.contact)).unwrap();
        row(real, "Mara from the lake, marked as unread");
        let name = DisplayName::parse("Mara from work").unwrap();
        other.does(other.client.set_nickname(other.contact, Some(name))).unwrap();
        other.does(other.client.mark_unread(other.contact, false)).unwrap();
        row(real, "Mara from work");
        real.wait(|harness| harness.query_by_role_and_label(Role::Heading, "Mara from work"));

        // Hidden there, it is out of the list here; a contact deleted here is gone there.
        other.does(other.client.hide(other.contact)).unwrap();
        no_row(real, "Mara from work");
        press(real, "Delete contact");
        press(real, "Delete contact");
        other.learns("that the contact is gone", |it| !it.approved && it.nickname.is_none());
    });
}
