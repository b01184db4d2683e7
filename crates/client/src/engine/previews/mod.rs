//! What a link leads to, for the person who sends it: title and a small picture (spec 02 §15).
//!
//! Decision: off until a person switches it on, on each device by itself: the website learns our address, and its name
//! is looked up like any other. Only the sender's side ever asks; who receives a preview gets all of it in the message.
//!
//! Decision: title and picture are found within one limit of time. A picture that is late, too large or none is left
//! out; without a title there is no preview, as in the official apps.

mod entities;
mod html;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_network::web::{PreviewUrl, Take, WebPage};
use tokio::time::Instant;

use super::{Engine, pictures};
use crate::error::PreviewError;
use crate::model::{DraftPreview, PreviewImage};
use crate::store::{Db, StoreError};

/// The setting's name in the store.
const SETTING: &str = "link_previews";
/// How long title and picture together may take.
const WITHIN: Duration = Duration::from_secs(20);
/// So many bytes of a page are read (spec 02 §15).
const PAGE: usize = 500 * 1024;
/// The largest picture that is fetched, in bytes (spec 02 §15).
const PICTURE: usize = 1024 * 1024;
/// The longer side of the picture that is sent, in pixels.
const SIDE: u32 = 200;

/// Whether links are previewed, as far as that was chosen.
#[derive(Default)]
pub struct Previews(Mutex<Option<bool>>);

impl Previews {
    /// As the setting says.
    pub fn load(db: &Db) -> Result<Option<bool>, StoreError> {
        db.setting(SETTING)
    }

    /// What the person chose; `None` if nothing yet, which means no.
    pub fn choice(&self) -> Option<bool> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches them for this run.
    pub fn switch(&self, choice: Option<bool>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = choice;
    }
}

impl Engine {
    /// Switches previews of links on or off for good.
    pub async fn set_link_previews(&self, on: bool) -> Result<(), StoreError> {
        self.store.call(move |db| db.set_setting(SETTING, &on)).await?;
        self.previews.switch(Some(on));
        Ok(())
    }

    /// Asks the website that a link leads to for title and picture.
    pub async fn preview(self: &Arc<Self>, url: &PreviewUrl) -> Result<DraftPreview, PreviewError> {
        let deadline = Instant::now() + WITHIN;
        let page = self.network.fetch_web(url, "text/html", Take::First(PAGE), deadline).await?;
        if !page.content_type.is_empty() && !page.content_type.contains("html") {
            return Err(PreviewError::NoTitle);
        }
        let WebPage { url: at, content_type, body } = page;
        let read = tokio::task::spawn_blocking(move || html::read(&body, &content_type));
        let head = read.await.map_err(|_| PreviewError::NoTitle)?;
        let title = head.title.ok_or(PreviewError::NoTitle)?;
        let image = match head.image.and_then(|to| at.join(&to)) {
            Some(picture) => self.preview_picture(&picture, deadline).await,
            None => None,
        };
        Ok(DraftPreview { url: url.as_str().to_owned(), title, image })
    }

    /// A page's picture, made small; `None` if it cannot be had.
    async fn preview_picture(self: &Arc<Self>, url: &PreviewUrl, deadline: Instant) -> Option<PreviewImage> {
        let fetched = self.network.fetch_web(url, "image/*", Take::AtMost(PICTURE), deadline).await;
        let file = match fetched {
            Ok(page) => page.body,
            Err(error) => {
                tracing::debug!(%error, "a preview goes without its picture");
                return None;
            }
        };
        // A picture that breaks its decoder is none.
        tokio::task::spawn_blocking(move || pictures::small(&file, SIDE)).await.ok()?
    }
}
