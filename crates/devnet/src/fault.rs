//! What can be made to go wrong.
//!
//! Decision: faults are states of a node, switched on and off while the network runs; several can hold at once. A
//! request that waits at a frozen node goes on when the node thaws, as with a process that was stopped and continued.

use std::time::Duration;

use tokio::sync::watch;

use crate::lie::{HopLie, Lie, Lies, ListLie, RetrieveLie, StoreLie};

/// Something wrong with a node.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// Its process is gone: connections are refused, open ones closed; other nodes get no answer from it.
    Dead,
    /// It accepts connections and never says a word, until the fault is cleared.
    Frozen,
    /// It thinks this long about each request before it starts on it.
    Slow(Duration),
    /// Its clock is ahead by so many ms (behind, if negative).
    ClockSkew(i64),
    /// It loses requests with this probability (0 to 1): the connection closes, other nodes wait in vain.
    Drop(f64),
    /// What it sends back, its own or passed on, is random bytes under a good status.
    Garbage,
    /// As a destination it answers 200 with a body that is no JSON, properly encrypted.
    Nonsense,
    /// What it sends back is cut in the middle.
    Truncated,
    /// It signs its replies wrongly.
    WrongSignature,
    /// It has left its swarm: others leave it out of `get_swarm`, and it answers 421, with the new swarm as body.
    LeftSwarm,
    /// As [`Fault::LeftSwarm`], but the 421 has an empty body.
    LeftSwarmSilently,
    /// As an onion hop it knows none of the other nodes: `Next node not found`.
    KnowsNobody,
    /// It says `503 Service node is not ready`, or `Snode not ready` to other nodes.
    NotReady,
    /// It says `503 Server busy, try again later`.
    Busy,
    /// As a destination it answers every storage request with this status and text.
    Answers(u16, String),
    /// The bodies of its HTTP replies come one byte after each such time.
    Drip(Duration),
    /// It accepts connections and closes them at the first byte; a request on a connection that was open before
    /// breaks it.
    Closes,
    /// Its table cannot be read or written: its own entry of every recursive reply says `failed`.
    QueryFailure,
    /// It encrypts the record of a registered name anew for each answer: true, but no two answers are equal.
    NewNonces,
    /// It answers as if well, and says something false.
    Lies(Lie),
}

impl From<Lie> for Fault {
    fn from(lie: Lie) -> Self {
        Self::Lies(lie)
    }
}

impl From<RetrieveLie> for Fault {
    fn from(lie: RetrieveLie) -> Self {
        Self::Lies(Lie::Retrieve(lie))
    }
}

impl From<ListLie> for Fault {
    fn from(lie: ListLie) -> Self {
        Self::Lies(Lie::List(lie))
    }
}

impl From<HopLie> for Fault {
    fn from(lie: HopLie) -> Self {
        Self::Lies(Lie::Hop(lie))
    }
}

impl From<StoreLie> for Fault {
    fn from(lie: StoreLie) -> Self {
        Self::Lies(Lie::Store(lie))
    }
}

/// Something wrong with the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeedFault {
    /// Its process is gone: connections are refused.
    Dead,
    /// It takes requests and never answers them, also not when the fault is cleared.
    Frozen,
    /// It answers every request with this HTTP status.
    Refuses(u16),
    /// It gives a false list of nodes.
    Lies(ListLie),
}

/// Something wrong with the file server.
#[derive(Clone, PartialEq, Debug)]
pub enum FileFault {
    /// Downloads have the right length and other bytes.
    WrongBytes,
    /// Downloads end in the middle.
    Truncated,
    /// Every file is gone: 404.
    NotFound,
    /// Every upload is too large: 413.
    TooLarge,
    /// Every upload is refused with this status.
    RefusesUploads(u16),
    /// Every request fails with 500.
    Broken,
    /// Its front end answers plain `502 Bad Gateway` in HTML, unencrypted.
    BadGateway,
    /// It thinks this long about each request before it starts on it.
    Slow(Duration),
    /// Its process is gone: connections are refused.
    Dead,
}

/// How a node that left its swarm answers for its former accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Departure {
    WithBody,
    Silent,
}

/// All that is wrong with a node at present.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Faults {
    pub dead: bool,
    pub frozen: bool,
    pub slow: Option<Duration>,
    pub clock_skew: i64,
    pub drop: f64,
    pub garbage: bool,
    pub nonsense: bool,
    pub truncated: bool,
    pub wrong_signature: bool,
    pub left: Option<Departure>,
    pub knows_nobody: bool,
    pub not_ready: bool,
    pub busy: bool,
    pub answers: Option<(u16, String)>,
    pub drip: Option<Duration>,
    pub closes: bool,
    pub query_failure: bool,
    pub new_nonces: bool,
    pub lies: Lies,
}

impl Faults {
    /// Adds a fault to those that hold.
    pub fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Dead => self.dead = true,
            Fault::Frozen => self.frozen = true,
            Fault::Slow(delay) => self.slow = Some(delay),
            Fault::ClockSkew(ms) => self.clock_skew = ms,
            Fault::Drop(probability) => self.drop = probability,
            Fault::Garbage => self.garbage = true,
            Fault::Nonsense => self.nonsense = true,
            Fault::Truncated => self.truncated = true,
            Fault::WrongSignature => self.wrong_signature = true,
            Fault::LeftSwarm => self.left = Some(Departure::WithBody),
            Fault::LeftSwarmSilently => self.left = Some(Departure::Silent),
            Fault::KnowsNobody => self.knows_nobody = true,
            Fault::NotReady => self.not_ready = true,
            Fault::Busy => self.busy = true,
            Fault::Answers(status, text) => self.answers = Some((status, text)),
            Fault::Drip(every) => self.drip = Some(every),
            Fault::Closes => self.closes = true,
            Fault::QueryFailure => self.query_failure = true,
            Fault::NewNonces => self.new_nonces = true,
            Fault::Lies(lie) => self.lies.add(lie),
        }
    }
}

/// What became of a request at a node's door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// The node works on it.
    Taken,
    /// It is lost without an answer.
    Lost,
}

/// Waits as the faults demand: through a freeze, through slowness.
pub(crate) async fn admit(faults: &watch::Sender<Faults>) -> Admission {
    let mut changes = faults.subscribe();
    let Ok(now) = changes.wait_for(|faults| !faults.frozen || faults.dead).await.map(|now| now.clone())
    else {
        return Admission::Lost;
    };
    if now.dead || (now.drop > 0.0 && fastrand::f64() < now.drop) {
        return Admission::Lost;
    }
    if let Some(delay) = now.slow {
        tokio::time::sleep(delay).await;
    }
    Admission::Taken
}

/// Random bytes, about as many.
pub(crate) fn garbage(length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length.max(64)).collect()
}

/// Spoils bytes on their way out, if the faults say so.
pub(crate) fn spoil(faults: &Faults, mut bytes: Vec<u8>) -> Vec<u8> {
    if faults.garbage {
        bytes = garbage(bytes.len());
    }
    if faults.truncated {
        bytes.truncate(bytes.len() / 2);
    }
    bytes
}
