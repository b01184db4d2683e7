//! Sending one onion request over one path, and what its reply says about path and destination.
//!
//! Decision: requests have the form that the official desktop client gives them, AES-256-GCM in every layer without
//! saying so (spec 03 §6.2, §12). It is the form that is usual on this transport, HTTPS to the guard; the official core's,
//! XChaCha20 by name, comes over QUIC only, and here would set us apart from everybody else. Every layer has a key of its
//! own that is used once, so the short nonce is drawn at random without a thought.

use std::time::Duration;

use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::Ed25519Public;
use septet_protocol::onion::{self, Destination, Hop, ResponseKey};
use septet_protocol::swarm::{Node, Rpc, reply};
use serde_json::Value;

use crate::activity::Activity;
use crate::clock::RoundTrip;
use crate::failure::{self, Verdict};
use crate::http::{PostError, PostOptions};
use crate::machine;
use crate::path::{Path, hop};
use crate::shared::Shared;

/// Requests and replies larger than this are worked on aside, so that other requests need not wait.
const LARGE: usize = 256 * 1024;
/// A path on which nothing moves for longer than this, though a reply is due, is tested.
const LONG: Duration = Duration::from_secs(3);

/// Why a request over a path brought nothing readable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The machine has no network.
    NoNetwork,
    /// No connection to the guard.
    GuardUnreachable,
    /// The guard broke the connection off.
    Broken,
    /// Silence.
    NoReply,
    /// Bytes moved, but too few.
    Slow,
    /// The path has failed its test while the request waited.
    PathLost,
    /// More than the destination can have to say.
    TooLarge,
    /// Some hop complains.
    Plain {
        /// Its status.
        status: u16,
        /// Its words.
        text: String,
    },
    /// It does not decrypt, or is nonsense when decrypted: damaged on the way.
    Unreadable,
}

impl Fault {
    /// What follows for a request over `path` to `destination` (`None`: a server).
    pub fn verdict(&self, path: &[Ed25519Public], destination: Option<&Ed25519Public>) -> Verdict {
        match self {
            Self::Plain { status, text } => failure::plain(*status, text, path, destination),
            // None of this is authenticated: it says nothing about the destination.
            Self::NoNetwork
            | Self::GuardUnreachable
            | Self::Broken
            | Self::NoReply
            | Self::Slow
            | Self::PathLost
            | Self::TooLarge
            | Self::Unreadable => Verdict::PathFailed,
        }
    }
}

impl From<PostError> for Fault {
    fn from(error: PostError) -> Self {
        match error {
            PostError::NoNetwork => Self::NoNetwork,
            PostError::Unreachable => Self::GuardUnreachable,
            PostError::Broken => Self::Broken,
            PostError::Silent => Self::NoReply,
            PostError::Slow => Self::Slow,
            PostError::TooLarge => Self::TooLarge,
        }
    }
}

/// Why a request to a node brought nothing, and what follows.
pub(crate) struct Unanswered {
    pub fault: Fault,
    pub verdict: Verdict,
    /// Some of it has left this machine: it may have been carried out.
    pub left: bool,
}

/// What the guard gave back, still encrypted.
pub(crate) struct Sealed {
    pub key: ResponseKey,
    pub body: Vec<u8>,
    pub trip: RoundTrip,
}

/// A node's own word.
pub(crate) struct Answer {
    /// As in HTTP.
    pub status: u16,
    /// JSON, or a string for plain text.
    pub body: Value,
    /// When it was asked and when it had answered.
    pub trip: RoundTrip,
}

impl Answer {
    /// What a person can read of it.
    pub fn text(&self) -> String {
        let text = match &self.body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.chars().take(200).collect()
    }
}

impl Shared {
    /// Sends a request through these hops, the first of which is `guard`.
    pub async fn send(
        &self,
        guard: &Node,
        hops: &[Hop],
        destination: &Destination,
        payload: &[u8],
        options: &PostOptions,
    ) -> Result<Sealed, Fault> {
        let request = build(hops, destination, payload).await.ok_or(Fault::Unreadable)?;
        let sent = machine::steady();
        let posted = self.http.post_onion(guard, request.body, options).await?;
        if posted.status != 200 {
            let text = String::from_utf8_lossy(&posted.body).chars().take(300).collect();
            return Err(Fault::Plain { status: posted.status, text });
        }
        Ok(Sealed {
            key: request.key,
            body: posted.body,
            trip: RoundTrip { sent, received: machine::steady() },
        })
    }

    /// Has a node carry out a storage request, over these hops. Its clock is taken note of.
    pub async fn ask_over(
        &self,
        guard: &Node,
        hops: &[Hop],
        node: &Node,
        rpc: &Rpc,
        options: &PostOptions,
    ) -> Result<Answer, Fault> {
        let destination = Destination::Node(hop(*node));
        let sealed = self.send(guard, hops, &destination, &rpc.to_json(), options).await?;
        let trip = sealed.trip;
        let (status, body) = open(sealed).await.ok_or(Fault::Unreadable)?;
        if let Some(time) = reply::network_time(&body) {
            self.clock.learn(node.ed25519, trip.offset(time));
        }
        Ok(Answer { status, body, trip })
    }

    /// As [`Shared::ask_over`], over a path in use; what it shows of path and destination is noted.
    pub async fn ask(&self, path: &Path, node: &Node, rpc: &Rpc) -> Result<Answer, Unanswered> {
        let options = PostOptions::silent_for(Duration::from_millis(rpc.time_limit()));
        let hops = path.hops();
        let request = self.ask_over(path.guard(), &hops, node, rpc, &options);
        match self.attend(path, &options.activity, request).await {
            Ok(answer) => {
                self.tell(|policy, now| policy.succeeded(path.id, Some(&node.ed25519), now));
                Ok(answer)
            }
            Err(fault) => {
                tracing::debug!(method = rpc.method(), ?fault, path = ?path.id, "request failed");
                let verdict = self.note(path, Some(&node.ed25519), &fault);
                Err(Unanswered { fault, verdict, left: options.activity.has_left() })
            }
        }
    }

    /// Notes a failure where it belongs; what it means. `destination` is `None` for a server beyond the network.
    pub fn note(&self, path: &Path, destination: Option<&Ed25519Public>, fault: &Fault) -> Verdict {
        let verdict = fault.verdict(&path.keys(), destination);
        // No network is nobody's fault, and what failed because its path was given up has been counted there.
        if !matches!(fault, Fault::NoNetwork | Fault::PathLost) {
            // It may be the destination: it is silent, drips, or floods us.
            let doubtful = matches!(fault, Fault::NoReply | Fault::Slow | Fault::TooLarge);
            self.tell(|policy, now| policy.failed(path.id, destination, verdict, doubtful, now));
        }
        verdict
    }

    /// A request under way over a path in use: whenever it has been silent for long the path is tested, and once the path
    /// has failed the request is given up, without waiting for its own time limit.
    pub async fn attend<T>(
        &self,
        path: &Path,
        activity: &Activity,
        request: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let request = async {
            let _turn = path.turn().await;
            request.await
        };
        tokio::select! {
            biased;
            result = request => result,
            () = path.lost() => Err(Fault::PathLost),
            () = self.doubt_silence(path, activity) => Err(Fault::PathLost),
        }
    }

    /// Has a path tested, again and again, on which a request waits and nothing moves: neither the request's own bytes
    /// nor those of a transfer with the same guard, behind which a test would only wait in its turn. Never ends.
    async fn doubt_silence(&self, path: &Path, activity: &Activity) {
        let mut wait = LONG;
        loop {
            let awake = machine::sleep(wait).await;
            let long = LONG * self.http.patience();
            let quiet = activity.quiet_for();
            if awake && quiet >= long && !self.http.moving(path.guard()) {
                self.tell(|policy, _| policy.doubt(path.id));
            }
            wait = if quiet < long { long - quiet } else { long };
        }
    }
}

/// A node's status and words; large ones are decrypted and read aside.
async fn open(sealed: Sealed) -> Option<(u16, Value)> {
    let open = |sealed: &Sealed| {
        let reply = sealed.key.open_node(&sealed.body).ok()?;
        let body = serde_json::from_slice(&reply.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&reply.body).into_owned()));
        Some((reply.status, body))
    };
    if sealed.body.len() < LARGE {
        return open(&sealed);
    }
    tokio::task::spawn_blocking(move || open(&sealed)).await.ok().flatten()
}

async fn build(hops: &[Hop], destination: &Destination, payload: &[u8]) -> Option<onion::Request> {
    if payload.len() < LARGE {
        return onion::build_unnamed(hops, destination, payload, &mut SystemRandom).ok();
    }
    let (hops, destination, payload) = (hops.to_vec(), destination.clone(), payload.to_vec());
    let build = move || onion::build_unnamed(&hops, &destination, &payload, &mut SystemRandom).ok();
    tokio::task::spawn_blocking(build).await.ok().flatten()
}
