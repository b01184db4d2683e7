//! What kind a row is of, where nothing but its column tells.

/// What a person looks for when going through files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachmentClass {
    /// Anything shown as a picture.
    Picture,
    /// A film.
    Video,
    /// Music and the like.
    Audio,
    /// Recorded to be heard as a message.
    Voice,
    /// Everything else.
    File,
    /// The picture of the page that a link leads to: no file of its message.
    Preview,
}

impl AttachmentClass {
    /// By what the sender said of it.
    pub fn of(content_type: &str, voice: bool) -> Self {
        match content_type.split_once('/').map(|(kind, _)| kind) {
            _ if voice => Self::Voice,
            Some(kind) if kind.eq_ignore_ascii_case("image") => Self::Picture,
            Some(kind) if kind.eq_ignore_ascii_case("video") => Self::Video,
            Some(kind) if kind.eq_ignore_ascii_case("audio") => Self::Audio,
            _ => Self::File,
        }
    }
}

/// How a job gets where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Stored in a swarm.
    Swarm,
    /// Several steps in a swarm, of which each needs the one before.
    Sequence,
    /// A request to a community's server.
    Community,
}
