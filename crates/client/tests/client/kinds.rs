//! Every kind of message between two accounts with two devices each: every device sees what it should, and no more.

mod letters;
mod recipes;

use septet_client::client::Saving;
use septet_client::model::{Draft, Expiry, Message, Notice, OutgoingFile, Page, Reaction};
use septet_protocol::id::SessionId;
use septet_protocol::message::{
    Call, CallId, CallKind, CommunityInvitation, Content, DataExtraction, LinkPreview, Visible,
};

use crate::sync::look;
use crate::world::{PATIENCE, Person, With, World};

/// Alice and Bob, who know each other, at home and on the way.
struct Four {
    world: World,
    alice_phone: Person,
    alice_desk: Person,
    bob_phone: Person,
    bob_desk: Person,
}

impl Four {
    async fn new() -> Self {
        let world = World::new().await;
        let (alice_phone, bob_phone) = world.friends().await;
        for phone in [&alice_phone, &bob_phone] {
            assert!(phone.client.flush(PATIENCE).await.unwrap());
        }
        let (alice_desk, _) = world.second_device(&alice_phone).await;
        let (bob_desk, _) = world.second_device(&bob_phone).await;
        let four = Self { world, alice_phone, alice_desk, bob_phone, bob_desk };
        four.settle().await;
        four
    }

    fn all(&self) -> [&Person; 4] {
        [&self.alice_phone, &self.alice_desk, &self.bob_phone, &self.bob_desk]
    }

    fn other(&self, of: &Person) -> SessionId {
        if of.id() == self.alice_phone.id() { self.bob_phone.id() } else { self.alice_phone.id() }
    }

    /// All devices have sent and heard everything.
    async fn settle(&self) {
        for _ in 0..2 {
            for device in self.all() {
                device.client.sync_once(PATIENCE).await.unwrap();
            }
        }
    }

    /// The conversation of the two on each device, without what was said before.
    async fn pages(&self) -> [Vec<Message>; 4] {
        self.settle().await;
        let mut pages = Vec::new();
        for device in self.all() {
            let id = device.client.with(self.other(device)).await;
            let page = device.client.messages(id, Page::Newest, 100).await.unwrap();
            let before = |message: &Message| {
                matches!(message.text.as_str(), "hi" | "hello")
                    || matches!(message.notice, Some(Notice::YouAccepted | Notice::TheyAccepted))
            };
            pages.push(page.messages.into_iter().filter(|message| !before(message)).collect());
        }
        pages.try_into().unwrap()
    }

    /// What every device shows, which is the same on all four: of each message `f` of it.
    async fn agree<T: PartialEq + std::fmt::Debug>(&self, f: impl Fn(&Message) -> T) -> Vec<T> {
        let [first, rest @ ..] = self.pages().await.map(|page| page.iter().map(&f).collect::<Vec<T>>());
        for (device, page) in ["alice's desk", "bob's phone", "bob's desk"].iter().zip(&rest) {
            assert_eq!(page, &first, "{device}");
        }
        first
    }

    /// Alice's phone sends this to Bob and waits until his swarm has it.
    async fn sends(&self, draft: Draft) -> Message {
        let client = &self.alice_phone.client;
        let id = client.send(client.with(self.bob_phone.id()).await, draft).await.unwrap();
        client.wait_sent(id, PATIENCE).await.unwrap()
    }

    async fn says(&self, text: &str) -> Message {
        self.sends(says(text)).await
    }

    /// The only message on a device.
    async fn only(&self, device: &Person) -> Message {
        let id = device.client.with(self.other(device)).await;
        let page = device.client.messages(id, Page::Newest, 1).await.unwrap();
        page.messages.into_iter().next().unwrap()
    }
}

fn says(text: &str) -> Draft {
    Draft { text: text.to_owned(), ..Draft::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_answers_and_mentions_are_the_same_on_all_four_devices() {
    let four = Four::new().await;
    let long = "Ein langer Absatz. ".repeat(100).trim().to_owned();
    let mention = format!("@{} are you there?", four.bob_phone.id());
    let first = four.says(&long).await;
    four.sends(Draft { reply_to: Some(first.id), ..says("as I said") }).await;
    four.says(&mention).await;
    let quoted = |message: &Message| message.quote.as_ref().map(|quote| (quote.author, quote.timestamp));
    let shown = four.agree(|it| (it.from, it.timestamp, it.text.clone(), quoted(it))).await;
    let alice = four.alice_phone.id();
    let texts: Vec<&str> = shown.iter().map(|it| it.2.as_str()).collect();
    assert_eq!(texts, [long.as_str(), "as I said", &mention]);
    assert_eq!(shown[1].3, Some((alice, first.timestamp)));
    assert!(shown.iter().all(|it| it.0 == alice));
    // Whom it concerns is told, on both devices; the writer's other device counts nothing as new.
    for (device, unread, mentions) in
        [(&four.alice_desk, 0, 0), (&four.bob_phone, 3, 1), (&four.bob_desk, 3, 1)]
    {
        let row = look(device, four.other(device)).await;
        assert_eq!((row.unread, row.mentions), (unread, mentions));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_come_and_go_on_all_four_devices() {
    let four = Four::new().await;
    four.says("news").await;
    four.settle().await;
    let reactions = |it: &Message| it.reactions.clone();
    let on_bobs_desk = four.only(&four.bob_desk).await.id;
    four.bob_desk.client.react(on_bobs_desk, "🎉", false).await.unwrap();
    let on_alices_desk = four.only(&four.alice_desk).await.id;
    four.alice_desk.client.react(on_alices_desk, "😂", false).await.unwrap();
    let shown = four.agree(reactions).await;
    let by = |emoji: &str, from: &Person| Reaction { emoji: emoji.to_owned(), from: vec![from.id()] };
    assert_eq!(shown, [vec![by("🎉", &four.bob_phone), by("😂", &four.alice_phone)]]);
    // Taken away on the other device of whom it is from.
    four.bob_phone.client.react(four.only(&four.bob_phone).await.id, "🎉", true).await.unwrap();
    assert_eq!(four.agree(reactions).await, [vec![by("😂", &four.alice_phone)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_a_caption_arrive_whole_on_all_four_devices() {
    let four = Four::new().await;
    let file = |name: &str, byte| OutgoingFile::Bytes {
        name: name.to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes: vec![byte; 700],
    };
    let files = vec![file("one.bin", 1), file("two.bin", 2)];
    four.sends(Draft { files, ..says("both") }).await;
    let names = |it: &Message| it.attachments.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    let shown = four.agree(|it| (it.text.clone(), names(it))).await;
    assert_eq!(shown, [("both".to_owned(), vec!["one.bin".to_owned(), "two.bin".to_owned()])]);
    let Four { alice_desk, bob_phone, bob_desk, alice_phone, .. } = four;
    let (alice, bob) = (alice_phone.id(), bob_phone.id());
    for (mut device, other) in [(alice_desk, bob), (bob_phone, alice), (bob_desk, alice)] {
        let id = device.client.with(other).await;
        let page = device.client.messages(id, Page::Newest, 1).await.unwrap();
        for (attachment, byte) in page.messages[0].attachments.iter().zip([1, 2]) {
            device.client.download(attachment.id).await.unwrap();
            assert_eq!(device.receives(attachment).await, vec![byte; 700]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_told_on_all_four_devices_and_belongs_to_who_set_it() {
    let four = Four::new().await;
    let timer = Expiry::AfterSend(8);
    let with_bob = four.alice_phone.client.with(four.bob_phone.id()).await;
    four.alice_phone.client.set_expiry(with_bob, timer).await.unwrap();
    let sent = four.says("for a moment").await;
    assert_eq!(sent.expiry, timer);
    four.bob_desk.says(&four.alice_phone, "mine stays").await;
    four.settle().await;
    // One-sided: it is Alice's, on both her devices.
    for (device, expiry) in [
        (&four.alice_phone, timer),
        (&four.alice_desk, timer),
        (&four.bob_phone, Expiry::Off),
        (&four.bob_desk, Expiry::Off),
    ] {
        assert_eq!(look(device, four.other(device)).await.expiry, expiry);
    }
    // When it is over, the line and the text are gone everywhere, without a trace.
    let gone = async {
        loop {
            let pages = four.pages().await;
            if pages.iter().all(|page| page.len() == 1) {
                return pages;
            }
        }
    };
    let left = tokio::time::timeout(PATIENCE, gone).await.expect("something does not disappear");
    assert!(left.iter().all(|page| page[0].text == "mine stays"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_for_everyone_is_gone_on_four_devices_and_what_is_deleted_here_on_one() {
    let four = Four::new().await;
    let everywhere = four.says("everywhere").await;
    let here = four.says("here").await;
    four.settle().await;
    four.alice_phone.client.delete_for_everyone(everywhere.id).await.unwrap();
    four.alice_phone.client.delete_message(here.id).await.unwrap();
    let gone = |it: &Message| (it.deleted, it.text.clone());
    let pages = four.pages().await.map(|page| page.iter().map(gone).collect::<Vec<_>>());
    let (placeholder, text) = ((true, String::new()), (false, "here".to_owned()));
    assert_eq!(pages[0], [placeholder.clone(), placeholder.clone()]);
    for page in &pages[1..] {
        assert_eq!(page, &[placeholder.clone(), text.clone()]);
    }
    // Bob deletes it on one of his.
    let on_bobs_desk = four.only(&four.bob_desk).await.id;
    four.bob_desk.client.delete_message(on_bobs_desk).await.unwrap();
    let pages = four.pages().await.map(|page| page.last().map(gone));
    assert_eq!(pages, [Some(placeholder.clone()), Some(text.clone()), Some(text), Some(placeholder)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_on_both_own_devices_and_is_deleted_on_both_without_a_trace_or_on_one() {
    let four = Four::new().await;
    let (phone, desk) = (&four.alice_phone, &four.alice_desk);
    let both = phone.says(phone, "for both").await;
    let one = phone.says(phone, "for one").await;
    four.settle().await;
    assert_eq!(desk.texts(phone.id()).await, ["for both", "for one"]);
    phone.client.delete_for_everyone(both.id).await.unwrap();
    phone.client.delete_message(one.id).await.unwrap();
    four.settle().await;
    let page = |device: &Person| {
        let client = device.client.clone();
        async move {
            let page = client.messages(client.with(client.id()).await, Page::Newest, 10).await.unwrap();
            page.messages.into_iter().map(|it| (it.deleted, it.text)).collect::<Vec<_>>()
        }
    };
    assert_eq!(page(phone).await, [(true, String::new())]);
    assert_eq!(page(desk).await, [(false, "for one".to_owned())]);
    for bob in [&four.bob_phone, &four.bob_desk] {
        assert_eq!(bob.texts(phone.id()).await, ["hi", "hello"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_reads_is_read_on_the_other_and_told_only_if_wanted() {
    let four = Four::new().await;
    let read_by_other = |page: &Vec<Message>| page.iter().map(|it| it.read).collect::<Vec<_>>();
    let silent = four.says("one").await;
    for (device, on) in [(&four.alice_phone, true), (&four.bob_desk, false)] {
        device.client.set_read_receipts(on).await.unwrap();
    }
    for (receipts, told) in [(false, false), (true, true)] {
        four.bob_desk.client.set_read_receipts(receipts).await.unwrap();
        let sent = if receipts { four.says("two").await } else { silent.clone() };
        four.settle().await;
        let newest = four.only(&four.bob_desk).await;
        assert_eq!(newest.timestamp, sent.timestamp);
        let with_alice = four.bob_desk.client.with(four.alice_phone.id()).await;
        four.bob_desk.client.mark_read(with_alice, newest.id).await.unwrap();
        let [on_phone, on_desk, ..] = four.pages().await;
        assert_eq!(read_by_other(&on_phone).last(), Some(&told));
        // The desk does not want to know.
        assert_eq!(read_by_other(&on_desk).last(), Some(&false));
        for bob in [&four.bob_phone, &four.bob_desk] {
            assert_eq!(look(bob, four.alice_phone.id()).await.unread, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_on_both_devices_and_accepted_or_blocked_on_both() {
    let world = World::new().await;
    let (alice, phone) = (world.person("Alice").await, world.person("Bob").await);
    assert!(phone.client.flush(PATIENCE).await.unwrap());
    let (alice_desk, _) = world.second_device(&alice).await;
    let (desk, _) = world.second_device(&phone).await;
    alice.says(&phone, "hi").await;
    let four = Four { world, alice_phone: alice, alice_desk, bob_phone: phone, bob_desk: desk };
    four.settle().await;
    let (alice, bob) = (four.alice_phone.id(), four.bob_phone.id());
    for (device, other, request) in [
        (&four.alice_phone, bob, false),
        (&four.alice_desk, bob, false),
        (&four.bob_phone, alice, true),
        (&four.bob_desk, alice, true),
    ] {
        let row = look(device, other).await;
        assert_eq!((row.is_request(), row.is_listed()), (request, !request));
    }
    let desk = &four.bob_desk.client;
    desk.accept(desk.with(alice).await).await.unwrap();
    four.settle().await;
    for device in four.all() {
        let row = look(device, four.other(device)).await;
        assert!(row.approved && row.approved_me && row.is_listed(), "{row:?}");
    }
    desk.block(desk.with(alice).await).await.unwrap();
    four.settle().await;
    four.says("still there?").await;
    four.settle().await;
    for bob in [&four.bob_phone, &four.bob_desk] {
        assert!(look(bob, alice).await.blocked);
        assert_eq!(bob.texts(alice).await, ["hi"], "what was there stays, and nothing comes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_file_is_told_to_whom_it_is_from_and_to_nobody_else() {
    let four = Four::new().await;
    let file = OutgoingFile::Bytes {
        name: "one.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes: vec![1; 700],
    };
    let sent = four.sends(Draft { files: vec![file], ..Draft::default() }).await;
    four.settle().await;
    let folder = tempfile::tempdir().unwrap();
    let own = &four.alice_phone.client;
    own.save_attachment(sent.attachments[0].id, folder.path(), Saving::Told).await.unwrap();
    let attachment = four.only(&four.bob_phone).await.attachments.remove(0);
    four.bob_phone.client.download(attachment.id).await.unwrap();
    let mut four = four;
    four.bob_phone.receives(&attachment).await;
    four.bob_phone.client.save_attachment(attachment.id, folder.path(), Saving::Told).await.unwrap();
    let lines = |page: Vec<Message>| {
        page.into_iter().filter_map(|it| it.notice.map(|notice| (notice, it.from))).collect::<Vec<_>>()
    };
    let told = vec![(Notice::MediaSaved, four.bob_phone.id())];
    assert_eq!(four.pages().await.map(lines), [told.clone(), told, vec![], vec![]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_links_and_calls_of_others_are_shown_on_both_devices() {
    let four = Four::new().await;
    let (alice, bob) = (&four.alice_phone, &four.bob_phone);
    let (url, name) = ("https://open.example/room?public_key=ab".to_owned(), "Room".to_owned());
    let invitation = CommunityInvitation { url: url.clone(), name: name.clone() };
    four.world.stores(bob, alice, Content::CommunityInvitation(invitation)).await;
    let link = "https://a.example/page";
    let preview = Some(LinkPreview { url: link.to_owned(), title: "A page".to_owned(), image: None });
    let body = format!("see {link}");
    four.world.stores(bob, alice, Content::Visible(Visible { body, preview, ..Visible::default() })).await;
    for kind in [CallKind::PreOffer, CallKind::Offer, CallKind::Offer, CallKind::IceCandidates, CallKind::End]
    {
        let id = CallId("5a1e0b1c-8f2b-4c53-9d0d-0a5d1f1a2b3c".to_owned());
        let none = Vec::new;
        let call = Call { id, kind, sdps: vec!["v=0".to_owned()], line_indexes: none(), mids: Vec::new() };
        four.world.stores(bob, alice, Content::Call(call)).await;
    }
    // What says nothing to us leaves nothing: an empty message, and a line that only official desktops show.
    four.world.stores(bob, alice, Content::Unknown).await;
    four.world.stores(bob, alice, Content::Typing(true)).await;
    four.world.stores(bob, alice, Content::DataExtraction(DataExtraction::Screenshot)).await;
    let [on_phone, on_desk, ..] = four.pages().await;
    for page in [on_phone, on_desk] {
        let lines: Vec<Notice> = page.iter().filter_map(|it| it.notice.clone()).collect();
        let invited = Notice::CommunityInvitation { url: url.clone(), name: name.clone() };
        assert_eq!(lines, [invited, Notice::MissedCall, Notice::Screenshot]);
        let shown = page.iter().find(|it| !it.text.is_empty()).unwrap();
        let preview = shown.preview.as_ref().unwrap();
        assert_eq!((preview.url.as_str(), preview.title.as_str()), (link, "A page"));
        assert_eq!(page.len(), 4);
    }
    // What a later version sends is a line in the conversation, until then.
    let new_kind = [&[0xba, 0x01, 2][..], b"hi"].concat();
    four.world.stores_raw(bob, alice, &new_kind).await;
    let [on_phone, on_desk, ..] = four.pages().await;
    for page in [on_phone, on_desk] {
        assert_eq!(page.last().and_then(|it| it.notice.clone()), Some(Notice::Unreadable));
        assert_eq!(page.len(), 5);
    }
    // Of a stranger, a call is no line, and none of it a request.
    let carol = four.world.resting_person("Carol").await;
    let id = CallId("6b1e0b1c-8f2b-4c53-9d0d-0a5d1f1a2b3c".to_owned());
    let call =
        Call { id, kind: CallKind::Offer, sdps: Vec::new(), line_indexes: Vec::new(), mids: Vec::new() };
    four.world.stores(&carol, alice, Content::Call(call)).await;
    four.settle().await;
    let requests = alice.client.conversations().await.unwrap();
    assert!(!requests.iter().any(|it| it.is_request()), "{requests:?}");
}
