//! Our own display picture (spec 04 §7, §13).
//!
//! Decision: it is set when it is uploaded, not before. Nobody can see a picture that is nowhere, and the person who
//! chose it is there to try again.

use std::sync::Arc;

use septet_protocol::attachment::deterministic::Domain;
use septet_protocol::attachment::{self, Encrypted};
use septet_protocol::config::Picture;
use septet_protocol::crypto::Ed25519Secret;
use tokio_util::sync::CancellationToken;

use super::{Engine, pictures};
use crate::error::ClientError;
use crate::event::Event;
use crate::store::Db;

/// What is said of a file that cannot become a display picture.
const NO_PICTURE: ClientError =
    ClientError::Refused("this is no picture that can be used: choose a JPEG, PNG, WebP or GIF file");

/// A display picture, ready to be used.
struct Ready {
    /// What is stored here.
    plain: Vec<u8>,
    /// What is uploaded, and its key.
    encrypted: Encrypted,
}

impl Engine {
    /// Sets or removes our display picture, here and on all devices; people get it with our next messages.
    pub async fn set_picture(self: &Arc<Self>, file: Option<Vec<u8>>) -> Result<(), ClientError> {
        let uploaded = match file {
            Some(file) => Some(self.upload_picture(file).await?),
            None => None,
        };
        // From here on it is carried through, even if nobody waits for it any more.
        let engine = self.clone();
        tokio::spawn(async move {
            match uploaded {
                Some((plain, picture)) => engine.adopt_picture(plain, picture).await?,
                None => {
                    let (documents, now) = (engine.documents.clone(), engine.network.now());
                    engine.store.call(move |db| documents.set_picture(db, None, now)).await?;
                }
            }
            engine.bells.config.notify_one();
            engine.events.send(Event::Profile);
            Ok(())
        })
        .await
        .map_err(|_| ClientError::Stopped)?
    }

    /// Prepares and uploads a display picture; returns what is stored here and what the documents say of it.
    async fn upload_picture(
        self: &Arc<Self>,
        file: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Picture>), ClientError> {
        let engine = Arc::clone(self);
        let ready = tokio::task::spawn_blocking(move || prepare(&file, &engine.keys.ed25519));
        let Ready { plain, encrypted } = ready.await.map_err(|_| ClientError::Stopped)??;
        let uploaded = self.network.upload(encrypted.blob, |_, _| {}, CancellationToken::new()).await?;
        let picture = Picture::new(uploaded.url.into_deterministic().as_str(), encrypted.key.as_bytes());
        Ok((plain, picture.map_err(|error| ClientError::Network(error.to_string()))?))
    }

    /// Makes an uploaded picture ours.
    async fn adopt_picture(&self, plain: Vec<u8>, picture: Option<Picture>) -> Result<(), ClientError> {
        let name = self.store.write_file(plain).await?;
        let (documents, now) = (self.documents.clone(), self.network.now());
        let stored = name.clone();
        let set = move |db: &mut Db| {
            db.transaction(|db| {
                documents.set_picture(db, picture.as_ref(), now)?;
                match db.profile_of(documents.me())?.and_then(|profile| profile.picture) {
                    Some(source) => db.picture_fetched(documents.me(), &source, &stored).map(drop),
                    None => Ok(()),
                }
            })
        };
        if let Err(error) = self.store.call(set).await {
            // The file is nobody's now; if it stays, the next start finds it.
            let _ = self.store.remove_file(&name).await;
            return Err(error.into());
        }
        Ok(())
    }
}

/// Crops and encrypts a picture. Takes as long as decoding does.
fn prepare(file: &[u8], account: &Ed25519Secret) -> Result<Ready, ClientError> {
    let plain = pictures::display_picture(file).ok_or(NO_PICTURE)?;
    let encrypted = attachment::encrypt(&plain, account, Domain::ProfilePicture).map_err(|_| NO_PICTURE)?;
    Ok(Ready { plain, encrypted })
}
