//! What names a picture that the window shows.

use septet_client::model::{AttachmentId, PictureId};

/// Names a picture in the cache.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ImageKey {
    /// An attachment as it is shown in the conversation.
    Attachment(AttachmentId),
    /// An attachment in full, for the viewer.
    Full(AttachmentId),
    /// A display picture, for a list or a head.
    Picture(PictureId),
    /// A display picture in full.
    LargePicture(PictureId),
}
