//! Previews of links: asking for one, and sending it along.

use std::sync::Arc;

use septet_network::web::PreviewUrl;
use septet_protocol::message::LinkPreview;

use super::{Client, ClientError};
use crate::error::PreviewError;
use crate::model::DraftPreview;
use crate::store::{NewAttachment, NewPreview};

impl Client {
    /// Whether links that are sent from this device get a preview: then the websites they lead to are asked for it.
    pub fn link_previews(&self) -> bool {
        self.link_previews_choice() == Some(true)
    }

    /// What was chosen about previews of links; `None` if nothing was, and then there are none.
    pub fn link_previews_choice(&self) -> Option<bool> {
        self.0.engine.previews.choice()
    }

    /// Switches previews of links on or off, on this device; off to begin with.
    pub async fn set_link_previews(&self, on: bool) -> Result<(), ClientError> {
        Ok(self.0.engine.set_link_previews(on).await?)
    }

    /// Asks the website of the first link of a text for title and picture, whatever the setting says: to be called only
    /// if it is on, or with another word of the person. The website learns our address. Waits at most 20 s.
    pub async fn preview(&self, text: &str) -> Result<DraftPreview, PreviewError> {
        let url = PreviewUrl::first_in(text).ok_or(PreviewError::NoLink)?;
        self.0.engine.preview(&url).await
    }

    /// A preview as it is written down with its message, its picture in the folder of files; `None` if it does not belong
    /// to the text.
    pub(super) async fn taken_preview(
        &self,
        text: &str,
        preview: DraftPreview,
    ) -> Result<Option<NewPreview>, ClientError> {
        let DraftPreview { url, title, image } = preview;
        let whole = LinkPreview { url, title, image: None };
        if !whole.belongs_to(text) {
            return Ok(None);
        }
        let LinkPreview { url, title, .. } = whole;
        let Some(image) = image else { return Ok(Some(NewPreview { url, title, image: None })) };
        let store = Arc::clone(&self.0.engine);
        let (size, file) = (image.bytes.len() as u64, store.store.write_file(image.bytes.to_vec()).await?);
        let image = Some(Box::new(NewAttachment {
            name: String::new(),
            content_type: image.content_type,
            size,
            dimensions: Some(image.dimensions),
            voice: false,
            remote: None,
            file: Some(file),
            original: None,
            pointer: None,
        }));
        Ok(Some(NewPreview { url, title, image }))
    }
}
