//! Every kind we send, field by field as it lies in the swarms, beside the recipes of spec 02 §7 and §7.1: what must be
//! there, what must not, how long it stays, and whether our own devices get a copy.

use std::time::Duration;

use septet_client::client::{Client, Saving};
use septet_client::model::{
    ConversationId, Draft, DraftPreview, Expiry, Message, OutgoingFile, Page, TypingNow,
};
use septet_protocol::account::AccountKeys;

use super::letters::{Letter, known, since};
use crate::sync::{picture, sees_picture};
use crate::world::{PATIENCE, Person, With, World};

/// A kind of message as it is stored for the other, and for our own devices. `;` parts fields, `*` stands for any value,
/// and words in capitals for what [`WORDS`] says.
struct Recipe {
    kind: &'static str,
    to_other: &'static [(&'static str, u64)],
    to_self: &'static [(&'static str, u64)],
}

/// 14 days in ms.
const CONTENT: u64 = 1_209_600_000;

const RECIPES: &[Recipe] = &[
    Recipe {
        kind: "text",
        to_other: &[(r#"1.1 "hello"; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"1.1 "hello"; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "reply",
        to_other: &[(r#"1.1 "yes"; 1.8.1 =THAT; 1.8.2 "BOB"; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"1.1 "yes"; 1.8.1 =THAT; 1.8.2 "BOB"; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "attachment",
        to_other: &[(r#"1.1 "look"; FILE; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"1.1 "look"; FILE; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "voice",
        to_other: &[("VOICE; PROFILE; OFF; AT", CONTENT)],
        to_self: &[("VOICE; TARGET; OFF; AT", CONTENT)],
    },
    Recipe {
        kind: "link",
        to_other: &[("LINK; PROFILE; OFF; AT", CONTENT)],
        to_self: &[("LINK; TARGET; OFF; AT", CONTENT)],
    },
    Recipe {
        kind: "reaction",
        to_other: &[(r#"REACTION; 1.11.4 =0; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"REACTION; 1.11.4 =0; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "reaction taken away",
        to_other: &[(r#"REACTION; 1.11.4 =1; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"REACTION; 1.11.4 =1; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "timer after reading",
        to_other: &[("1.4 =2; 12 =1; 13 =3600; AT", CONTENT)],
        to_self: &[("1.4 =2; TARGET; 12 =1; 13 =3600; AT", 3_600_000)],
    },
    Recipe {
        kind: "text after reading",
        to_other: &[(r#"1.1 "soon gone"; PROFILE; 12 =1; 13 =3600; AT"#, CONTENT)],
        to_self: &[(r#"1.1 "soon gone"; TARGET; 12 =1; 13 =3600; AT"#, 3_600_000)],
    },
    Recipe {
        kind: "timer after sending",
        to_other: &[("1.4 =2; 12 =2; 13 =7200; AT", 7_200_000)],
        to_self: &[("1.4 =2; TARGET; 12 =2; 13 =7200; AT", 7_200_000)],
    },
    Recipe {
        kind: "text after sending",
        to_other: &[(r#"1.1 "gone"; PROFILE; 12 =2; 13 =7200; AT"#, 7_200_000)],
        to_self: &[(r#"1.1 "gone"; TARGET; 12 =2; 13 =7200; AT"#, 7_200_000)],
    },
    // What disappears after sending is a notice that disappears after reading.
    Recipe {
        kind: "media saved",
        to_other: &[("8.1 =2; 8.2 =THAT; 12 =1; 13 =7200; AT", CONTENT)],
        to_self: &[],
    },
    Recipe {
        kind: "timer off",
        to_other: &[("1.4 =2; OFF; AT", CONTENT)],
        to_self: &[("1.4 =2; TARGET; OFF; AT", CONTENT)],
    },
    Recipe { kind: "read receipt", to_other: &[("5.1 =1; 5.2 =THAT; AT", CONTENT)], to_self: &[] },
    Recipe { kind: "typing", to_other: &[("6.1 =SENT; 6.2 =0; AT", 20_000)], to_self: &[] },
    Recipe {
        kind: "unsend",
        to_other: &[(r#"9.1 =THAT; 9.2 "ALICE"; AT"#, CONTENT)],
        to_self: &[(r#"9.1 =THAT; 9.2 "ALICE"; AT"#, CONTENT)],
    },
    Recipe { kind: "note", to_other: &[], to_self: &[(r#"1.1 "milk"; OFF; AT"#, CONTENT)] },
    Recipe {
        kind: "note with a timer",
        to_other: &[],
        to_self: &[("1.4 =2; 12 =2; 13 =7200; AT", 7_200_000)],
    },
    Recipe { kind: "note unsent", to_other: &[], to_self: &[(r#"9.1 =THAT; 9.2 "ALICE"; AT"#, CONTENT)] },
    Recipe { kind: "accept", to_other: &[("10.1 =1; ANSWER; AT", CONTENT)], to_self: &[] },
    Recipe {
        kind: "answer to a request",
        to_other: &[("10.1 =1; ANSWER; AT", CONTENT), (r#"1.1 "who are you?"; PROFILE; OFF; AT"#, CONTENT)],
        to_self: &[(r#"1.1 "who are you?"; TARGET; OFF; AT"#, CONTENT)],
    },
    Recipe {
        kind: "text with a picture",
        to_other: &[(
            r#"1.1 "me"; 1.6 <32 bytes>; 1.101.1 "Alice"; 1.101.2 "http*; 1.101.3 *; OFF; AT"#,
            CONTENT,
        )],
        to_self: &[(r#"1.1 "me"; TARGET; OFF; AT"#, CONTENT)],
    },
];

/// What the words of the recipes stand for, each a field or several.
const WORDS: [(&str, &str); 9] = [
    ("LINK", r#"1.1 "see https://a.example/x"; 1.10.1 "https://a.example/x"; 1.10.2 "A page""#),
    (
        "VOICE",
        r#"1.2.1 fixed64 *; 1.2.2 "audio/mp3"; 1.2.3 <32 bytes>; 1.2.4 =900; 1.2.7 *; 1.2.8 =1; 1.2.101 "http*"#,
    ),
    (
        "FILE",
        r#"1.2.1 fixed64 *; 1.2.2 "text/plain"; 1.2.3 <32 bytes>; 1.2.4 =500; 1.2.7 "notes.txt"; 1.2.101 "http*"#,
    ),
    ("REACTION", r#"1.11.1 =THAT; 1.11.2 "BOB"; 1.11.3 "👍""#),
    ("PROFILE", r#"1.101.1 "Alice"; 1.101.3 *"#),
    ("ANSWER", r#"10.3.1 "Alice"; 10.3.3 *"#),
    ("TARGET", r#"1.105 "BOB""#),
    ("OFF", "12 =0; 13 =0"),
    ("AT", "15 =SENT"),
];

/// Alice writes to Bob, and every letter is opened.
struct Post {
    world: World,
    alice: Person,
    bob: Person,
    keys: [AccountKeys; 2],
}

impl Post {
    async fn new(world: World, alice: Person, bob: Person) -> Self {
        let keys = [alice.keys().await, bob.keys().await];
        Self { world, alice, bob, keys }
    }

    fn client(&self) -> &Client {
        &self.alice.client
    }

    async fn with_bob(&self) -> ConversationId {
        self.client().with(self.bob.id()).await
    }

    /// What the act puts into both swarms is what the recipe says; `that` is the message it is about.
    async fn check(&self, kind: &str, that: Option<&Message>, act: impl AsyncFnOnce()) {
        let recipe = RECIPES.iter().find(|recipe| recipe.kind == kind).expect(kind);
        for person in [&self.alice, &self.bob] {
            assert!(person.client.flush(PATIENCE).await.unwrap());
        }
        let before = [known(&self.world, self.alice.id()), known(&self.world, self.bob.id())];
        act().await;
        assert!(self.client().flush(PATIENCE).await.unwrap());
        let [to_self, to_other] = [0, 1].map(|who| since(&self.world, &before[who], &self.keys[who]));
        for (letters, expected) in [(&to_other, recipe.to_other), (&to_self, recipe.to_self)] {
            assert_eq!(letters.len(), expected.len(), "{kind}: {:?}", contents(letters));
            for (letter, (content, ttl)) in letters.iter().zip(expected) {
                self.compare(kind, letter, content, *ttl, that);
            }
        }
        // A copy has the time of what it is a copy of.
        if let ([copy], Some(last)) = (&to_self[..], to_other.last())
            && recipe.kind != "unsend"
        {
            assert_eq!(copy.sent, last.sent, "{kind}");
        }
        if let [response, answer] = &to_other[..] {
            assert_eq!(answer.sent - response.sent, 100, "{kind}: told 100 ms before (spec 02 §21.2)");
        }
    }

    fn compare(&self, kind: &str, letter: &Letter, recipe: &str, ttl: u64, that: Option<&Message>) {
        let (alice, bob) = (self.alice.id(), self.bob.id());
        assert_eq!(letter.sender, alice, "{kind}");
        assert_eq!(letter.ttl, ttl, "{kind}: how long the swarm keeps it");
        assert_eq!(letter.padded % 160, 0, "{kind}");
        assert!((1..=160).contains(&(letter.padded - letter.length - 1)), "{kind}: padding");
        let wrapping = format!(
            r#"1 =1; 2.1 ""; 2.2 ""; 2.3.1 =6; 2.3.5 ={at}; 2.3.7 =1; 2.3.8 *; 2.3.11 <64 bytes>; 2.4 =0"#,
            at = letter.sent
        );
        fits(kind, &letter.wrapping, &wrapping);
        let meaning = |field: &str| WORDS.iter().find(|word| word.0 == field).map(|word| word.1.to_owned());
        let fields = recipe.split("; ").map(|field| meaning(field).unwrap_or_else(|| field.to_owned()));
        let mut expected = fields.collect::<Vec<_>>().join("; ");
        let that = that.map_or(0, |message| message.timestamp.as_ms()).to_string();
        for (word, value) in [
            ("THAT", that),
            ("ALICE", alice.to_string()),
            ("BOB", bob.to_string()),
            ("SENT", letter.sent.to_string()),
        ] {
            expected = expected.replace(word, &value);
        }
        fits(kind, &letter.content, &expected);
    }

    async fn newest(&self) -> Message {
        let page = self.client().messages(self.with_bob().await, Page::Newest, 1).await.unwrap();
        page.messages.into_iter().next_back().unwrap()
    }
}

fn contents(letters: &[Letter]) -> Vec<&[String]> {
    letters.iter().map(|letter| &letter.content[..]).collect()
}

/// Every field is the expected one, in its place, and there are no others.
fn fits(kind: &str, found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.split("; ").collect();
    let fit = |(found, expected): (&String, &&str)| match expected.split_once('*') {
        Some((begins, _)) => found.starts_with(begins),
        None => found == expected,
    };
    let same = found.len() == expected.len() && found.iter().zip(&expected).all(fit);
    assert!(same, "{kind}\n found    {found:#?}\n expected {expected:#?}");
}

fn notes() -> Draft {
    let (name, content_type) = ("notes.txt".to_owned(), "text/plain".to_owned());
    let file = OutgoingFile::Bytes { name, content_type, bytes: vec![b'x'; 500] };
    Draft { text: "look".to_owned(), files: vec![file], ..Draft::default() }
}

/// Sends a draft and waits until the other's swarm has it.
async fn sends(client: &Client, to: ConversationId, draft: Draft) {
    let id = client.send(to, draft).await.unwrap();
    client.wait_sent(id, PATIENCE).await.unwrap();
}

fn says(text: &str) -> Draft {
    Draft { text: text.to_owned(), ..Draft::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_lies_in_the_swarms_as_its_recipe_says() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    let hello = {
        let page = alice.client.messages(alice.client.with(bob.id()).await, Page::Newest, 10).await.unwrap();
        page.messages.into_iter().find(|message| message.text == "hello").unwrap()
    };
    // Something of Bob's that can be saved.
    bob.hands(&alice, "bob.bin", vec![7; 300]).await;
    bob.client.flush(PATIENCE).await.unwrap();
    bob.client.sync_once(PATIENCE).await.unwrap();
    let handed = alice.next_message_with_files().await;
    alice.receives(&handed.attachments[0]).await;
    let post = Post::new(world, alice, bob).await;
    let (client, to) = (post.client(), post.with_bob().await);

    post.check("text", None, async || sends(client, to, says("hello")).await).await;
    let reply = Draft { reply_to: Some(hello.id), ..says("yes") };
    post.check("reply", Some(&hello), async || sends(client, to, reply).await).await;
    post.check("attachment", None, async || sends(client, to, notes()).await).await;
    let kept = client.keep_voice("audio/mp3", vec![b'v'; 900]).await.unwrap();
    let voice = Draft { files: vec![OutgoingFile::Kept(kept)], ..Draft::default() };
    post.check("voice", None, async || sends(client, to, voice).await).await;
    let (url, title) = ("https://a.example/x".to_owned(), "A page".to_owned());
    let preview = Some(DraftPreview { url, title, image: None });
    let link = Draft { preview, ..says("see https://a.example/x") };
    post.check("link", None, async || sends(client, to, link).await).await;
    for (kind, remove) in [("reaction", false), ("reaction taken away", true)] {
        let react = async || client.react(hello.id, "👍", remove).await.unwrap();
        post.check(kind, Some(&hello), react).await;
    }
    for (timer, text, expiry) in [
        ("timer after reading", Some(("text after reading", "soon gone")), Expiry::AfterRead(3600)),
        ("timer after sending", Some(("text after sending", "gone")), Expiry::AfterSend(7200)),
    ] {
        post.check(timer, None, async || client.set_expiry(to, expiry).await.unwrap()).await;
        if let Some((kind, words)) = text {
            post.check(kind, None, async || sends(client, to, says(words)).await).await;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let save = async || {
        client.save_attachment(handed.attachments[0].id, folder.path(), Saving::Told).await.unwrap();
    };
    post.check("media saved", Some(&handed), save).await;
    post.check("timer off", None, async || client.set_expiry(to, Expiry::Off).await.unwrap()).await;

    client.set_read_receipts(true).await.unwrap();
    let unread = post.bob.says(&post.alice, "read this").await;
    client.sync_once(PATIENCE).await.unwrap();
    let newest = post.newest().await;
    assert_eq!(newest.text, "read this");
    let read = async || client.mark_read(to, newest.id).await.unwrap();
    post.check("read receipt", Some(&unread), read).await;

    client.set_typing_indicators(true).await.unwrap();
    let before = known(&post.world, post.bob.id());
    let types = async || {
        client.typing(to, TypingNow::Key);
        // It is in nobody's way, so nothing waits for it but who wants to see it.
        let told = async {
            while known(&post.world, post.bob.id()) == before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("nobody is told");
    };
    post.check("typing", None, types).await;

    let regretted = post.alice.says(&post.bob, "oh").await;
    let regret = async || client.delete_for_everyone(regretted.id).await.unwrap();
    post.check("unsend", Some(&regretted), regret).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_to_oneself_lie_in_our_own_swarm_without_a_name_or_a_target() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let post = Post::new(world, alice, bob).await;
    let client = post.client();
    let note = client.with(post.alice.id()).await;
    post.check("note", None, async || sends(client, note, says("milk")).await).await;
    let page = client.messages(note, Page::Newest, 1).await.unwrap();
    let milk = &page.messages[0];
    let unsend = async || client.delete_for_everyone(milk.id).await.unwrap();
    post.check("note unsent", Some(milk), unsend).await;
    let timer = async || client.set_expiry(note, Expiry::AfterSend(7200)).await.unwrap();
    post.check("note with a timer", None, timer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answering_tells_once_and_with_a_profile_that_the_other_is_accepted() {
    for kind in ["accept", "answer to a request"] {
        let world = World::new().await;
        let (mut alice, bob) = (world.person("Alice").await, world.person("Bob").await);
        bob.says(&alice, "hi").await;
        alice.hears("hi").await;
        let post = Post::new(world, alice, bob).await;
        let (client, to) = (post.client(), post.with_bob().await);
        let accept = async || match kind {
            "accept" => client.accept(to).await.unwrap(),
            _ => sends(client, to, says("who are you?")).await,
        };
        post.check(kind, None, accept).await;
        // Once only, whatever comes.
        let again = async || {
            client.accept(to).await.unwrap();
            sends(client, to, says("hello")).await;
        };
        post.check("text", None, again).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_with_its_key_to_the_other_and_not_to_ourselves() {
    let world = World::new().await;
    let (mut alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    alice.client.set_picture(Some(picture())).await.unwrap();
    let me = alice.id();
    sees_picture(&mut alice, me).await;
    let post = Post::new(world, alice, bob).await;
    let (client, to) = (post.client(), post.with_bob().await);
    post.check("text with a picture", None, async || sends(client, to, says("me")).await).await;
}

/// A recipe that no test follows would say nothing.
#[test]
fn every_recipe_is_followed() {
    let source = include_str!("recipes.rs");
    for recipe in RECIPES {
        assert!(source.matches(&format!("\"{}\"", recipe.kind)).count() > 1, "{}", recipe.kind);
    }
}
