//! What a lying hop says instead of passing a request on. Nothing of it is authenticated: any hop of a path can say
//! it about any node (spec 03 §7).

use septet_protocol::id::Ed25519Public;

use crate::network::Seat;

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

/// What a hop does with a request for the next node.
pub(crate) enum Passing {
    Honest,
    Refused(u16, String),
    Dropped,
    Garbled,
}

/// Which of a node's lies is told about this next node: the first that concerns it.
pub(crate) fn passing(seat: &Seat, next: &Ed25519Public) -> Passing {
    let concerns = |about: Option<Ed25519Public>| about.is_none_or(|about| about == *next);
    let told = seat.node.faults().lies.hop.into_iter().find_map(|lie| match lie {
        HopLie::NotFound(about) => {
            concerns(about).then(|| Passing::Refused(502, format!("Next node not found: {next}")))
        }
        HopLie::Unreachable(about) => concerns(about)
            .then(|| Passing::Refused(502, format!("Next node is currently unreachable: {next}"))),
        HopLie::NotReady(about) => {
            concerns(about).then(|| Passing::Refused(503, format!("Snode not ready: {next}")))
        }
        HopLie::Blames(key) => Some(Passing::Refused(502, format!("Next node not found: {key}"))),
        HopLie::Drops => Some(Passing::Dropped),
        HopLie::Garbles => Some(Passing::Garbled),
    });
    if told.is_some() {
        seat.node.count("lie:hop");
    }
    told.unwrap_or(Passing::Honest)
}
