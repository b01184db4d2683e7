//! Which file server is imitated.

/// How the server gives out files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileServerKind {
    /// As the server the official clients use in 2026: ids made from the content, lifetimes, `extend`.
    #[default]
    Live,
    /// As the open-source server: a new decimal id for each upload, no `expires` on upload, no `extend`.
    OpenSource,
}
