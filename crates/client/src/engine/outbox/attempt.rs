//! How trying to send something ends, if not well: what is to be done about it is all that matters.

use crate::store::StoreError;

/// How an attempt failed.
pub enum Attempt {
    /// It may work later, and nothing of it has left this machine; why, for the log.
    NotOut(String),
    /// It may work later; why, for the log.
    Later(String),
    /// It never will; why, as a sentence.
    Refused(String),
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unsendable(error) => Self::Refused(format!("This message cannot be sent: {error}.")),
            other => Self::Later(other.to_string()),
        }
    }
}
