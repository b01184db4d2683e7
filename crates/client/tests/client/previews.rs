//! Previews of links: asked for by who sends, and by nobody else.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use septet_client::client::{Client, KeyProtection, OpenOptions, PreviewError};
use septet_client::event::Event;
use septet_client::model::{AttachmentState, Draft, DraftPreview, Message, MessageState, OutgoingFile};
use septet_devnet::{FileFault, WebAnswer, Website};
use septet_network::NetworkConfig;
use septet_network::web::WebError;
use septet_protocol::account::{DisplayName, parse_recovery};

use crate::world::{PATIENCE, Person, With, World};

/// A picture of this many pixels.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let paint = |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]);
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, paint));
    // Readers of icons want them with transparency.
    let picture = if format == ImageFormat::Ico { picture.into_rgba8().into() } else { picture };
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A site with a page and its picture.
async fn site() -> Website {
    let site = Website::start().await.unwrap();
    let head = "<title>no</title><meta property=og:title content='The &amp; page'><meta property=og:image content=/p.png>";
    site.put_html("/page?a=1", head);
    site.put("/p.png", WebAnswer::Body("text/plain".to_owned(), picture(640, 320, ImageFormat::Png)));
    site
}

/// How a client is opened that believes the site's certificate.
fn options(world: &World, folder: &std::path::Path) -> OpenOptions {
    let certificate = folder.join("website.pem");
    std::fs::write(&certificate, Website::certificate()).unwrap();
    let toml = format!("web_certificates = [{certificate:?}]\n{}", world.net.network_toml());
    let network = NetworkConfig::from_toml(&toml).unwrap();
    OpenOptions { network, key_protection: KeyProtection::KeyFile }
}

/// Somebody who can ask the site.
async fn asker(world: &World) -> Person {
    let folder = tempfile::tempdir().unwrap();
    let name = DisplayName::parse("Alice").unwrap();
    let options = options(world, folder.path());
    let client = Client::create(&folder.path().join("profile"), &name, options).await.unwrap();
    client.start();
    Person::new(client, folder)
}

async fn befriend(one: &mut Person, other: &mut Person) {
    one.says(other, "hi").await;
    other.hears("hi").await;
    other.says(one, "hello").await;
    one.hears("hello").await;
}

/// Waits until the picture of a message's link is here, and reads it.
async fn sees(person: &mut Person, heard: &Message) -> Vec<u8> {
    let image = heard.preview.as_ref().unwrap().image.clone().unwrap();
    person.client.download(image.id).await.unwrap();
    let now = person.client.message(heard.id).await.unwrap().unwrap();
    person.receives(&now.preview.unwrap().image.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_reaches_the_other_and_our_devices_and_only_the_sender_asks_the_website() {
    let world = World::new().await;
    let site = site().await;
    let (mut alice, mut bob) = (asker(&world).await, world.person("Bob").await);
    befriend(&mut alice, &mut bob).await;
    let (mut tablet, _) = world.second_device(&alice).await;
    tablet.client.start();

    let text = format!("look: {}!", site.url("/page?a=1"));
    let preview = alice.client.preview(&text).await.unwrap();
    assert_eq!((preview.url.as_str(), preview.title.as_str()), (&*site.url("/page?a=1"), "The & page"));
    let image = preview.image.clone().unwrap();
    assert_eq!((image.content_type.as_str(), image.dimensions), ("image/jpeg", (200, 100)));
    assert!(!image.bytes.windows(4).any(|part| part == b"Exif"));
    assert_eq!(site.asked().len(), 2);

    let draft = Draft { text: text.clone(), preview: Some(preview), ..Draft::default() };
    let sent = alice.client.send(alice.client.with(bob.id()).await, draft).await.unwrap();
    alice.client.wait_sent(sent, PATIENCE).await.unwrap();

    for other in [&mut bob, &mut tablet] {
        let heard = other.hears(&text).await;
        assert_eq!(heard.attachments, []);
        let shown = heard.preview.clone().unwrap();
        assert_eq!((shown.url.as_str(), shown.title.as_str()), (&*site.url("/page?a=1"), "The & page"));
        let picture = shown.image.clone().unwrap();
        assert_eq!(picture.dimensions, Some((200, 100)));
        // It comes by itself to our own devices; the other's files wait until a person says so.
        assert_eq!(picture.state == AttachmentState::Remote, !heard.outgoing, "{:?}", picture.state);
        assert!(sees(other, &heard).await == *image.bytes);
        let row = other.client.conversation(heard.conversation).await.unwrap().unwrap();
        assert_eq!(row.last_message.unwrap().attachment, None);
    }
    assert_eq!(site.asked().len(), 2, "nobody but the sender asks");

    // What is deleted takes its picture along.
    let before = std::fs::read_dir(bob.folder.path().join("profile/files")).unwrap().count();
    let conversation = bob.client.with(alice.id()).await;
    let newest = bob.client.messages(conversation, septet_client::model::Page::Newest, 1).await.unwrap();
    bob.client.delete_message(newest.messages[0].id).await.unwrap();
    let gone = bob.client.message(newest.messages[0].id).await.unwrap().unwrap();
    assert!(gone.deleted && gone.preview.is_none());
    assert!(before > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setting_is_off_on_each_device_until_it_is_switched_on() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    assert!(!alice.client.link_previews());
    alice.client.set_link_previews(true).await.unwrap();
    let alice = world.rest(alice).await;
    assert!(alice.client.link_previews());
    let seed = parse_recovery(&alice.client.recovery().await.unwrap().phrase);
    assert!(seed.is_ok());
    alice.client.set_link_previews(false).await.unwrap();
    assert!(!world.rest(alice).await.client.link_previews());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_keeps_its_preview() {
    let world = World::new().await;
    let site = site().await;
    let alice = asker(&world).await;
    let notes = alice.client.with(alice.id()).await;
    let text = site.url("/page?a=1");
    let preview = Some(alice.client.preview(&text).await.unwrap());
    let draft = Draft { text, preview, ..Draft::default() };
    alice.client.set_draft(notes, draft.clone()).await.unwrap();
    let alice = world.rest(alice).await;
    assert_eq!(alice.client.draft(notes).await.unwrap(), draft);
    let none = Draft { preview: None, ..draft };
    alice.client.set_draft(notes, none.clone()).await.unwrap();
    assert_eq!(alice.client.draft(notes).await.unwrap(), none);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_goes_only_with_its_link_and_beside_nothing_else() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    let notes = alice.client.with(alice.id()).await;
    let preview = DraftPreview { url: "https://a.example/x".into(), title: "T".into(), image: None };
    let send = async |draft: Draft| {
        let draft = Draft { preview: Some(preview.clone()), ..draft };
        let id = alice.client.send(notes, draft).await.unwrap();
        let sent = alice.client.message(id).await.unwrap().unwrap();
        (id, sent.preview.map(|preview| preview.title))
    };
    let text = |text: &str| Draft { text: text.to_owned(), ..Draft::default() };
    let (first, shown) = send(text("see https://a.example/x")).await;
    assert_eq!(shown.as_deref(), Some("T"));
    assert_eq!(send(text("see https://a.example/xy")).await.1, None);
    let answer = Draft { reply_to: Some(first), ..text("https://a.example/x") };
    assert_eq!(send(answer).await.1, None);
    let file =
        OutgoingFile::Bytes { name: "a.txt".into(), content_type: "text/plain".into(), bytes: vec![1] };
    let with_file = Draft { files: vec![file], ..text("https://a.example/x") };
    assert_eq!(send(with_file).await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_the_file_server_refuses_does_not_keep_the_text_back() {
    let world = World::new().await;
    let site = site().await;
    let alice = asker(&world).await;
    let notes = alice.client.with(alice.id()).await;
    let text = site.url("/page?a=1");
    let preview = Some(alice.client.preview(&text).await.unwrap());
    world.net.set_file_fault(FileFault::TooLarge);
    let id = alice.client.send(notes, Draft { text, preview, ..Draft::default() }).await.unwrap();
    let sent = alice.client.wait_sent(id, PATIENCE).await.unwrap();
    assert_eq!(sent.state, MessageState::Sent);
    let preview = sent.preview.unwrap();
    assert_eq!((preview.title.as_str(), preview.image), ("The & page", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_none_and_pictures_that_lie_give_what_there_is() {
    let world = World::new().await;
    let site = site().await;
    let alice = asker(&world).await;
    let ask = async |path: &str| alice.client.preview(&site.url(path)).await;
    let body = |kind: &str, bytes: Vec<u8>| WebAnswer::Body(kind.to_owned(), bytes);
    site.put("/zip", body("application/zip", b"<title>No</title>".to_vec()));
    assert_eq!(ask("/zip").await, Err(PreviewError::NoTitle));
    site.put_html("/untitled", "<p>text");
    assert_eq!(ask("/untitled").await, Err(PreviewError::NoTitle));
    assert_eq!(ask("/missing").await, Err(PreviewError::Web(WebError::Status(404))));
    assert_eq!(alice.client.preview("http://a.example").await, Err(PreviewError::NoLink));

    site.put_html("/t", "<title>T</title><link rel=icon href=/i>");
    let image = async |answer: WebAnswer| {
        site.put("/i", answer);
        let preview = ask("/t").await.unwrap();
        assert_eq!(preview.title, "T");
        preview.image.map(|image| (image.content_type, image.dimensions))
    };
    let jpeg = |size| Some(("image/jpeg".to_owned(), size));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Ico]
    {
        assert_eq!(image(body("x", picture(64, 32, format))).await, jpeg((64, 32)), "{format:?}");
    }
    assert_eq!(image(body("image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec())).await, None);
    assert_eq!(image(body("image/png", picture(64, 32, ImageFormat::Png)[..60].to_vec())).await, None);
    assert_eq!(image(body("image/png", picture(10_001, 1, ImageFormat::Png))).await, None);
    let mut large = picture(64, 32, ImageFormat::Png);
    large.resize(1024 * 1024 + 1, 0);
    assert_eq!(image(body("image/png", large)).await, None);
    assert_eq!(image(WebAnswer::Redirect("http://127.0.0.1/i".to_owned())).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_picture_waits_for_a_click() {
    let world = World::new().await;
    let site = site().await;
    let (alice, mut bob) = (asker(&world).await, world.person("Bob").await);
    let text = site.url("/page?a=1");
    let preview = Some(alice.client.preview(&text).await.unwrap());
    let conversation = alice.client.with(bob.id()).await;
    let id = alice
        .client
        .send(conversation, Draft { text: text.clone(), preview, ..Draft::default() })
        .await
        .unwrap();
    alice.client.wait_sent(id, PATIENCE).await.unwrap();
    let heard = bob.hears(&text).await;
    let image = heard.preview.clone().unwrap().image.unwrap();
    assert_eq!(image.state, AttachmentState::Remote);
    bob.client.download(image.id).await.unwrap();
    let arrived = |event| match event {
        Event::Attachment { message, state: AttachmentState::Local, .. } => {
            (message == heard.id).then_some(())
        }
        _ => None,
    };
    bob.waits("the picture", arrived).await;
}
