//! What a lying hop says instead of passing a request on. Nothing of it is authenticated: any hop of a path can say
//! it about any node (spec 03 §7).

use septet_protocol::id::Ed25519Public;

/// Something false that a node does as an onion hop, while it answers its own requests rightly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HopLie {
    /// `Next node not found`, of this next node, or of every one.
    NotFound(Option<Ed25519Public>),
    /// `Next node is currently unreachable`, of this next node, or of every one.
    Unreachable(Option<Ed25519Public>),
    /// `Snode not ready`, of this next node, or of every one.
    NotReady(Option<Ed25519Public>),
    /// `Next node not found`, with this key whatever the next node is.
    Blames(Ed25519Public),
    /// It never answers what it is to pass on, and does not pass it on.
    Drops,
    /// It passes requests on, and gives random bytes under a good status back.
    Garbles,
}

/// What a lying hop does with a request for the next node.
pub(crate) enum Passing {
    Refused(u16, String),
    Dropped,
    Garbled,
}

impl HopLie {
    /// What becomes of a request for this next node; `None` if the lie is not about it.
    pub(crate) fn told(self, next: &Ed25519Public) -> Option<Passing> {
        let refused = |status, text: &str| Passing::Refused(status, format!("{text}: {next}"));
        let concerns = |about: Option<Ed25519Public>| about.is_none_or(|about| about == *next);
        match self {
            Self::NotFound(about) => concerns(about).then(|| refused(502, "Next node not found")),
            Self::Unreachable(about) => {
                concerns(about).then(|| refused(502, "Next node is currently unreachable"))
            }
            Self::NotReady(about) => concerns(about).then(|| refused(503, "Snode not ready")),
            Self::Blames(key) => Some(Passing::Refused(502, format!("Next node not found: {key}"))),
            Self::Drops => Some(Passing::Dropped),
            Self::Garbles => Some(Passing::Garbled),
        }
    }
}
