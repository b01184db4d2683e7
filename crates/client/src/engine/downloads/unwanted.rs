//! What somebody stops wanting between the last byte and the row that would point at it: nobody stops the transfer here,
//! so that only the row can know.

use std::time::Duration;

use septet_protocol::attachment;
use septet_protocol::attachment::deterministic::Domain;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::SessionId;

use super::*;
use crate::engine::local::Local;
use crate::model::MessageId;
use crate::store::tests::transfers::wanted;
use crate::store::{PictureSource, ProfileData, RemoteFile};

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of a message and its file meanwhile.
type Deed = fn(&mut Db, MessageId, AttachmentId) -> Result<(), StoreError>;

/// A file on the server, and a message that wants it.
async fn wanting(local: &Local) -> (MessageId, StoredAttachment) {
    let engine = &local.engine;
    let file = attachment::encrypt(b"plain", &engine.keys.ed25519, Domain::Attachment).unwrap();
    let uploaded = engine.network.upload(file.blob, |_, _| {}, CancellationToken::new()).await.unwrap();
    let remote = RemoteFile {
        url: uploaded.url.into_deterministic().as_str().to_owned(),
        key: file.key.as_bytes().to_vec().into(),
        digest: None,
    };
    let wanted = engine.store.call(|db| {
        let (message, id) = wanted(db);
        Ok((message, db.attachment(id)?.unwrap()))
    });
    let (message, attachment) = wanted.await.unwrap();
    (message, StoredAttachment { remote: Some(remote), ..attachment })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_is_asked_when_all_of_a_file_is_here() {
    let deeds: [(&str, usize, Deed); 6] = [
        ("nothing", 1, |_, _, _| Ok(())),
        ("stopped", 0, |db, _, id| db.attachment_unwanted(id).map(drop)),
        ("deleted", 0, |db, message, _| db.delete_messages(&[message]).map(drop)),
        ("disappeared", 0, |db, message, _| db.remove_messages(&[message]).map(drop)),
        ("conversation", 0, |db, message, _| {
            let conversation = db.conversation_of(message)?.unwrap();
            db.delete_conversation(conversation)
        }),
        ("contact", 0, |db, message, _| {
            let conversation = db.conversation_of(message)?.unwrap();
            let sender: SessionId = db.address_of(conversation)?.and_then(|it| it.account()).unwrap();
            db.delete_contact(sender)
        }),
    ];
    for (name, kept, deed) in deeds {
        let local = Local::new().await;
        let (message, attachment) = wanting(&local).await;
        let (id, engine) = (attachment.id, Arc::clone(&local.engine));
        let hold = local.net.hold_files();
        let fetching = tokio::spawn(async move { fetch_attachment(&engine, attachment).await });
        tokio::time::timeout(PATIENCE, hold.until_held(1)).await.expect("nothing is fetched");
        local.engine.store.call(move |db| deed(db, message, id)).await.unwrap();
        drop(hold);
        assert!(!fetching.await.unwrap(), "{name}: it came");
        assert_eq!(local.stored_files(), kept, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_before_its_turn_is_not_asked_for() {
    let local = Local::new().await;
    let (message, attachment) = wanting(&local).await;
    local.engine.store.call(move |db| db.delete_messages(&[message])).await.unwrap();
    let hold = local.net.hold_files();
    tokio::select! {
        () = hold.until_held(1) => panic!("it is asked for"),
        held_back = fetch_attachment(&local.engine, attachment) => assert!(!held_back),
    }
    assert_eq!(local.stored_files(), 0);
}

/// What is told of somebody with this picture.
fn shows(picture: Option<PictureSource>) -> ProfileData {
    ProfileData { name: "Me".to_owned(), picture, updated: 1 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_nobody_shows_any_more_is_not_kept() {
    let local = Local::new().await;
    let (me, key) = (local.engine.me(), Key::new([7; 32]));
    let blob = picture::encrypt(b"a picture", &key, &mut SystemRandom).unwrap();
    let uploaded = local.engine.network.upload(blob, |_, _| {}, CancellationToken::new()).await.unwrap();
    let source = PictureSource { url: uploaded.url.as_str().to_owned(), key: key.as_bytes().to_vec().into() };
    for removed in [true, false] {
        let shown = shows(Some(source.clone()));
        local.engine.store.call(move |db| db.set_profile(me, &shown)).await.unwrap();
        let (engine, wish) = (Arc::clone(&local.engine), WantedPicture { id: me, source: source.clone() });
        let hold = local.net.hold_files();
        let fetching = tokio::spawn(async move { fetch_picture(&engine, wish).await });
        tokio::time::timeout(PATIENCE, hold.until_held(1)).await.expect("nothing is fetched");
        if removed {
            local.engine.store.call(move |db| db.set_profile(me, &shows(None))).await.unwrap();
        }
        drop(hold);
        assert!(!fetching.await.unwrap(), "it came");
        assert_eq!(local.stored_files(), usize::from(!removed));
    }
}
