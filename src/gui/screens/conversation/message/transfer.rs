//! How far a file is on its way.

use septet_client::model::{Attachment, AttachmentState};

/// Whether its bytes are on this disk.
pub fn is_here(attachment: &Attachment) -> bool {
    matches!(
        attachment.state,
        AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. }
    )
}

/// Done parts of a whole; a whole that is not known yet looks just begun.
pub fn fraction(done: u64, total: u64) -> f32 {
    if total == 0 { 0.02 } else { (done as f32 / total as f32).clamp(0.02, 1.0) }
}

/// The part of a file that has moved, while it moves.
pub fn transfer(attachment: &Attachment) -> Option<f32> {
    match attachment.state {
        AttachmentState::Uploading { done, total } | AttachmentState::Downloading { done, total } => {
            Some(fraction(done, total))
        }
        _ => None,
    }
}
