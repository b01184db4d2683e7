//! What links lead to, for the composer.
//!
//! Decision: what a website answered is kept in memory, so that a link that is cut and pasted again, or stands in two
//! conversations, does not have it asked twice. Whether to ask is looked up here once more: the window may not know yet
//! that the setting was switched off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use septet_client::client::{Client, ClientError};
use septet_client::model::{ConversationId, DraftPreview};

use super::{Teller, pictures};
use crate::gui::command::{ShownPreview, Update};

/// So many answers are kept.
const KEPT: usize = 50;
/// Pixels of the longer side of the picture in the bar.
const SIDE: u32 = 96;

/// Asks websites, and remembers what they said.
pub struct Previews {
    client: Client,
    teller: Teller,
    known: Arc<Mutex<BTreeMap<String, Option<DraftPreview>>>>,
}

impl Previews {
    /// For this account.
    pub fn new(client: Client, teller: Teller) -> Self {
        Self { client, teller, known: Arc::default() }
    }

    /// Tells the window what a link leads to.
    pub fn fetch(&self, conversation: ConversationId, url: String) {
        if !self.client.link_previews() {
            self.teller.tell(Update::Preview { conversation, url, preview: None });
            return;
        }
        let (client, teller, known) = (self.client.clone(), self.teller.clone(), Arc::clone(&self.known));
        tokio::spawn(async move {
            let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
            let found = lock().get(&url).cloned();
            let found = match found {
                Some(found) => found,
                None => {
                    let asked = client.preview(&url).await;
                    if let Err(error) = &asked {
                        tracing::debug!(%error, "a link has no preview");
                    }
                    let mut known = lock();
                    if known.len() >= KEPT {
                        known.clear();
                    }
                    known.entry(url.clone()).insert_entry(asked.ok()).get().clone()
                }
            };
            let preview = match found {
                Some(preview) => Some(shown(preview).await),
                None => None,
            };
            teller.tell(Update::Preview { conversation, url, preview });
        });
    }
}

/// Switches previews on or off, and tells.
pub async fn switch(client: &Client, teller: &Teller, on: bool) -> Result<(), ClientError> {
    client.set_link_previews(on).await?;
    teller.tell(Update::LinkPreviews(client.link_previews_choice()));
    Ok(())
}

/// A preview with its picture decoded.
pub async fn shown(preview: DraftPreview) -> ShownPreview {
    let bytes = preview.image.as_ref().map(|image| Arc::clone(&image.bytes));
    let picture = match bytes {
        Some(bytes) => {
            tokio::task::spawn_blocking(move || pictures::decode(&bytes, SIDE)).await.ok().flatten()
        }
        None => None,
    };
    ShownPreview { preview, picture: picture.map(Arc::new) }
}
