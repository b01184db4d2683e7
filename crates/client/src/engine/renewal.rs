//! Keeping our display picture on the file server, which forgets files after two weeks (spec 04 §13).
//!
//! Once a day the server is asked to keep the file. If it cannot, or does not have it any more, the picture is
//! uploaded again from our own store: as the same bytes under the same key, unless it was set in the older format, which
//! ends here. All devices and all contacts learn the new address; it is marked as a mere re-upload, so no device takes
//! it for a change that a person made.
//!
//! Decision: each device does this by itself. Asking twice is no harm, and a device that is never on would be no help.

use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::attachment::deterministic::Domain;
use septet_protocol::attachment::{self, FileUrl};
use septet_protocol::config::Picture;
use septet_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::Engine;
use crate::error::ClientError;
use crate::store::{Db, PictureSource, StoreError};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// The wait after something failed that may work later.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// The server is asked this often, in ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A file that cannot be kept longer is uploaded anew when it is so old, in ms: two days before it goes.
const OLD_MS: u64 = 12 * DAY_MS;
/// Names of files that can be kept longer have so many characters.
const EXTENDABLE: usize = 44;
/// The setting that holds [`Kept`].
const SETTING: &str = "own_picture";

/// What this device knows of the file of our picture; times are in ms of the network's clock.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    url: String,
    /// When its life last began.
    begun: u64,
    /// When the server was last asked.
    asked: u64,
}

/// Our picture, as it is stored.
struct Own {
    picture: Picture,
    /// Its file here, if it is here.
    file: Option<String>,
    kept: Kept,
}

/// Keeps the picture until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    // Another device may have changed it, and only then is the network's time known for sure.
    tokio::select! {
        () = cancel.cancelled() => return,
        () = engine.polls.first() => {}
    }
    loop {
        let result = tokio::select! {
            () = cancel.cancelled() => return,
            result = renew(&engine) => result,
        };
        let wait = match result {
            Ok(()) => LOOK,
            Err(error) => {
                tracing::debug!(%error, "the display picture is not renewed");
                AGAIN
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Does what is to be done today.
async fn renew(engine: &Arc<Engine>) -> Result<(), ClientError> {
    let (documents, now) = (engine.documents.clone(), engine.network.now());
    let Some(own) = engine.store.read(move |db| own(db, &documents, now)).await? else { return Ok(()) };
    if now.as_ms() < own.kept.asked.saturating_add(DAY_MS) {
        return Ok(());
    }
    // An address of a form we do not know is another client's business.
    let Ok(url) = own.picture.url().parse::<FileUrl>() else { return Ok(()) };
    let old = now.as_ms() >= own.kept.begun.saturating_add(OLD_MS);
    let asked = match url.id().as_str().len() == EXTENDABLE {
        true => engine.network.extend_file(&url).await.map(|_| now.as_ms()),
        false => Err(NetworkError::Failed),
    };
    match asked {
        Ok(begun) => note(engine, Kept { begun, asked: now.as_ms(), ..own.kept }).await,
        Err(NetworkError::Offline) => Err(NetworkError::Offline.into()),
        Err(NetworkError::FileGone) => upload(engine, own, now).await,
        Err(_) if old => upload(engine, own, now).await,
        Err(_) => note(engine, Kept { asked: now.as_ms(), ..own.kept }).await,
    }
}

/// Our picture and what is known of its file; `None` if we have none.
fn own(db: &Db, documents: &super::Documents, now: Timestamp) -> Result<Option<Own>, StoreError> {
    let Some((picture, updated)) = documents.picture(db)? else { return Ok(None) };
    let file = db.profile()?.picture.map(|picture| picture.0);
    // A wrong clock may have written what lies in the future; nobody would be asked until that comes.
    let known = db.setting(SETTING)?.map(|kept: Kept| Kept {
        begun: kept.begun.min(now.as_ms()),
        asked: if kept.asked > now.as_ms() { 0 } else { kept.asked },
        ..kept
    });
    let kept = known.filter(|kept| kept.url == picture.url()).unwrap_or_else(|| Kept {
        url: picture.url().to_owned(),
        begun: updated.as_ms(),
        asked: 0,
    });
    Ok(Some(Own { picture, file, kept }))
}

async fn note(engine: &Engine, kept: Kept) -> Result<(), ClientError> {
    Ok(engine.store.call(move |db| db.set_setting(SETTING, &kept)).await?)
}

/// Uploads our picture once more and tells all devices where it is now. Without the picture itself, another device
/// has to do it.
async fn upload(engine: &Arc<Engine>, own: Own, now: Timestamp) -> Result<(), ClientError> {
    let Some(file) = own.file else {
        return note(engine, Kept { asked: now.as_ms(), ..own.kept }).await;
    };
    let plain = engine.store.read_file(&file).await?;
    let this = Arc::clone(engine);
    let encrypt = move || attachment::encrypt(&plain, &this.keys.ed25519, Domain::ProfilePicture);
    let encrypted = tokio::task::spawn_blocking(encrypt).await.map_err(|_| ClientError::Stopped)?;
    let encrypted = encrypted.map_err(|error| ClientError::Network(error.to_string()))?;
    let uploaded = engine.network.upload(encrypted.blob, |_, _| {}, CancellationToken::new()).await?;
    let new = Picture::new(uploaded.url.into_deterministic().as_str(), encrypted.key.as_bytes());
    let Some(new) = new.map_err(|error| ClientError::Network(error.to_string()))? else { return Ok(()) };
    let (documents, old) = (engine.documents.clone(), own.picture);
    let kept = Kept { url: new.url().to_owned(), begun: now.as_ms(), asked: now.as_ms() };
    let source = PictureSource { url: new.url().to_owned(), key: Zeroizing::new(new.key().to_vec()) };
    let renew = move |db: &mut Db| {
        db.transaction(|db| {
            if documents.renew_picture(db, &old, &new, now)? {
                // It is the same picture: nothing has to be fetched.
                db.picture_fetched(documents.me(), &source, &file)?;
                db.set_setting(SETTING, &kept)?;
            }
            Ok(())
        })
    };
    engine.store.call(renew).await?;
    engine.bells.config.notify_one();
    Ok(())
}
