//! Asking swarms: the right member, and another one when it fails (spec 03 §4, §7, §10.3).
//!
//! Decision: one loop for every request to a swarm. A request is built anew for each try, by a function of the member
//! (what was last fetched is known per node) and of network time (which signatures cover). Each try goes to another
//! member, drawn at random, and over another path if the last one failed; three in all. Two things are no tries: being
//! sent to another swarm, and having to set the clock; each is followed a limited number of times.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::{MemberKeys, Node, ReplyError, Rpc, SwarmReply, reply};
use septet_protocol::time::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use crate::choose;
use crate::error::NetworkError;
use crate::failure::{self, Verdict};
use crate::onion::{Answer, Fault};
use crate::shared::Shared;

/// Tries for one request.
const TRIES: usize = 3;
/// Redirections and clock corrections followed for one request, each.
const DETOURS: u32 = 3;
/// Wait before another try.
const PAUSE: Duration = Duration::from_millis(100);
/// Wait after "too many requests".
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// How many nodes are asked for the time.
const CLOCKS: usize = 3;

/// How a request has fared so far.
#[derive(Default)]
struct Attempts {
    /// Whom to ask first.
    prefer: Option<Ed25519Public>,
    /// Members that had their chance.
    members: Vec<Ed25519Public>,
    /// Paths that had theirs.
    paths: Vec<u64>,
    redirected: u32,
    /// When the last request was built.
    asked: Option<Instant>,
    /// Members that found our clock wrong.
    clock_complaints: Vec<Ed25519Public>,
    last_error: Option<NetworkError>,
}

/// One try.
enum Try<T> {
    Done(T),
    /// Final: no other member would do better.
    GiveUp(NetworkError),
    /// Another member might; the pause comes first.
    Again(Duration),
    /// The same, and this was no fault of a member: it does not count as a try.
    Detour,
}

impl Shared {
    /// Has a member of an account's swarm carry out a request; `read` turns its body into what is wanted, or says that
    /// it is no proper answer, and then another member is asked. `prefer` is asked first if it is one.
    pub async fn ask_swarm<T>(
        &self,
        account: &Account,
        prefer: Option<Ed25519Public>,
        build: impl Fn(&Ed25519Public, Timestamp) -> Rpc,
        read: impl Fn(&MemberKeys, Value) -> Result<T, ReplyError>,
    ) -> Result<(Ed25519Public, T), NetworkError> {
        let mut attempts = Attempts { prefer, ..Attempts::default() };
        let mut tries = 0;
        while tries < TRIES {
            let (member, path) = self.member_and_path(account, &attempts).await?;
            attempts.paths.push(path.id);
            attempts.asked = Some(Instant::now());
            let rpc = build(&member.ed25519, self.clock.now());
            let outcome = match self.ask(&path, &member, &rpc).await {
                Ok(answer) => self.weigh(account, &member, answer, &read, &mut attempts).await,
                Err((fault, verdict)) => self.weigh_fault(&fault, verdict, &member, &mut attempts).await,
            };
            match outcome {
                Try::Done(value) => return Ok((member.ed25519, value)),
                Try::GiveUp(error) => return Err(error),
                Try::Detour => {}
                Try::Again(pause) => {
                    attempts.members.push(member.ed25519);
                    tries += 1;
                    if tries < TRIES {
                        sleep(choose::jitter(pause)).await;
                    }
                }
            }
        }
        Err(attempts.last_error.unwrap_or(NetworkError::Failed))
    }

    /// What a member's own word means for the request.
    async fn weigh<T>(
        &self,
        account: &Account,
        member: &Node,
        answer: Answer,
        read: &impl Fn(&MemberKeys, Value) -> Result<T, ReplyError>,
        attempts: &mut Attempts,
    ) -> Try<T> {
        let verdict = match failure::node(answer.status) {
            Verdict::Deliver => failure::batch(sub_codes(&answer.body)),
            other => other,
        };
        match verdict {
            Verdict::Deliver => match read(&self.member_keys(account), answer.body) {
                Ok(value) => return Try::Done(value),
                Err(error) => {
                    self.strike(&member.ed25519);
                    attempts.last_error = Some(NetworkError::BadReply(error));
                }
            },
            Verdict::Refuse => {
                let text = answer.text();
                return Try::GiveUp(NetworkError::Rejected { status: answer.status, text });
            }
            Verdict::WrongSwarm => return self.redirect(account, member, &answer.body, attempts),
            Verdict::ClockOff => return self.correct_clock(member, attempts).await,
            Verdict::Busy => return Try::Again(BUSY_PAUSE),
            _ => {
                self.strike(&member.ed25519);
                attempts.last_error = Some(NetworkError::Failed);
            }
        }
        Try::Again(PAUSE)
    }

    fn member_keys(&self, account: &Account) -> MemberKeys {
        self.known_swarm(account).iter().map(|member| member.ed25519).collect()
    }

    async fn weigh_fault<T>(
        &self,
        fault: &Fault,
        verdict: Verdict,
        member: &Node,
        attempts: &mut Attempts,
    ) -> Try<T> {
        match (verdict, fault) {
            (Verdict::ClockOff, _) => return self.correct_clock(member, attempts).await,
            (Verdict::Busy, _) => return Try::Again(BUSY_PAUSE),
            (_, Fault::NoReply | Fault::Slow) => attempts.last_error = Some(NetworkError::Timeout),
            (_, Fault::NoNetwork) => return Try::GiveUp(NetworkError::Offline),
            (_, Fault::GuardUnreachable) => attempts.last_error = Some(NetworkError::Offline),
            _ => attempts.last_error = Some(NetworkError::Failed),
        }
        Try::Again(PAUSE)
    }

    /// The member is not of the account's swarm: its reply says who is, or at least that it is not.
    fn redirect<T>(&self, account: &Account, member: &Node, body: &Value, attempts: &mut Attempts) -> Try<T> {
        match moved_to(body) {
            Some(swarm) => self.learn_swarm(account, swarm.members),
            None => self.unlearn_member(account, &member.ed25519),
        }
        attempts.redirected += 1;
        attempts.last_error = Some(NetworkError::Failed);
        if attempts.redirected <= DETOURS { Try::Detour } else { Try::Again(PAUSE) }
    }

    /// The member finds our clock wrong. The first time we measure it; a member that complains again has it wrong itself.
    async fn correct_clock<T>(&self, member: &Node, attempts: &mut Attempts) -> Try<T> {
        attempts.last_error = Some(NetworkError::ClockOff);
        if attempts.clock_complaints.contains(&member.ed25519) {
            self.strike(&member.ed25519);
            return Try::Again(PAUSE);
        }
        attempts.clock_complaints.push(member.ed25519);
        self.measure_clock(attempts.asked).await;
        if attempts.clock_complaints.len() <= DETOURS as usize { Try::Detour } else { Try::Again(PAUSE) }
    }

    /// A member that has not been tried, and a path that does not lead through it.
    async fn member_and_path(
        &self,
        account: &Account,
        attempts: &Attempts,
    ) -> Result<(Node, std::sync::Arc<crate::path::Path>), NetworkError> {
        let mut members = self.swarm_members(account).await?;
        // After a clock correction the same member is asked again, so that it is known who was wrong.
        let wanted = attempts.clock_complaints.last().or(attempts.prefer.as_ref());
        loop {
            let fresh = |node: &&Node| !attempts.members.contains(&node.ed25519);
            let first = members.iter().filter(fresh).find(|node| Some(&node.ed25519) == wanted).copied();
            let fresh: Vec<Node> = members.iter().filter(fresh).copied().collect();
            let choice = first
                .or_else(|| choose::one(fresh, &mut SystemRandom))
                .or_else(|| choose::one(members.clone(), &mut SystemRandom));
            let Some(member) = choice else { return Err(NetworkError::Failed) };
            match self.find_path(Some(&member.ed25519), &attempts.paths).await? {
                Some(path) => return Ok((member, path)),
                None => members.retain(|node| node.ed25519 != member.ed25519),
            }
        }
    }

    /// The members of an account's swarm, from memory or from the network.
    pub async fn swarm_members(&self, account: &Account) -> Result<Vec<Node>, NetworkError> {
        let known = self.known_swarm(account);
        if !known.is_empty() {
            return Ok(known);
        }
        // Without any node there is nobody to ask; this waits for the list, and for a path.
        self.find_path(None, &[]).await?;
        let known = self.pool().swarm_of(account);
        if !known.is_empty() {
            return Ok(known);
        }
        let read = |body: Value| SwarmReply::read(&body).map_err(NetworkError::from);
        let swarm = self.ask_anyone(&Rpc::get_swarm(account), read).await?;
        self.learn_swarm(account, swarm.members.clone());
        Ok(swarm.members)
    }

    /// Has any node carry out a request that every node can.
    pub async fn ask_anyone<T>(
        &self,
        rpc: &Rpc,
        read: impl Fn(Value) -> Result<T, NetworkError>,
    ) -> Result<T, NetworkError> {
        let mut last = NetworkError::Failed;
        for _ in 0..TRIES {
            self.find_path(None, &[]).await?;
            let nodes = self.off_path_nodes(1);
            let Some(node) = nodes.first() else { return Err(NetworkError::Offline) };
            match self.ask_node(node, rpc, &read).await {
                Ok(value) => return Ok(value),
                Err(NetworkError::Offline) => return Err(NetworkError::Offline),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// So many nodes that are in no path of ours, at random; where that is asked for, in different /24 networks.
    pub fn off_path_nodes(&self, count: usize) -> Vec<Node> {
        let paths = self.paths();
        let distinct_subnets = self.config.distinct_subnets;
        let mut nodes = self.nodes();
        nodes.retain(|node| !paths.iter().any(|path| path.contains(&node.ed25519)));
        let mut chosen = Vec::new();
        while chosen.len() < count
            && let Some(node) = choose::one(nodes.clone(), &mut SystemRandom)
        {
            nodes.retain(|other| {
                other.ed25519 != node.ed25519 && !(distinct_subnets && other.subnet() == node.subnet())
            });
            chosen.push(node);
        }
        chosen
    }

    /// Has this very node carry out a request; one try over each of two paths.
    pub async fn ask_node<T>(
        &self,
        node: &Node,
        rpc: &Rpc,
        read: impl Fn(Value) -> Result<T, NetworkError>,
    ) -> Result<T, NetworkError> {
        let mut used = Vec::new();
        loop {
            let Some(path) = self.find_path(Some(&node.ed25519), &used).await? else {
                return Err(NetworkError::Failed);
            };
            used.push(path.id);
            let error = match self.ask(&path, node, rpc).await {
                Ok(answer) => match failure::node(answer.status) {
                    Verdict::Deliver => return read(answer.body),
                    Verdict::DestinationFailed => {
                        self.strike(&node.ed25519);
                        return Err(NetworkError::Failed);
                    }
                    _ => return Err(NetworkError::Rejected { status: answer.status, text: answer.text() }),
                },
                Err((Fault::NoNetwork, _)) => return Err(NetworkError::Offline),
                Err((Fault::NoReply | Fault::Slow, _)) => NetworkError::Timeout,
                Err((_, Verdict::DestinationLost | Verdict::DestinationFailed)) => {
                    return Err(NetworkError::Failed);
                }
                Err(_) => NetworkError::Failed,
            };
            if used.len() >= 2 {
                return Err(error);
            }
        }
    }

    /// Measures the network's time: the median of what three nodes say. `asked` is when the request was built that was
    /// found wrong: if the clock was measured since, that is enough, so requests that fail together share a measurement.
    async fn measure_clock(&self, asked: Option<Instant>) {
        let mut measured = self.measured.lock().await;
        if measured.is_some() && *measured >= asked {
            return;
        }
        let nodes = self.off_path_nodes(CLOCKS);
        let offsets = join_all(nodes.iter().map(|node| self.measure_offset(node))).await;
        let offsets: Vec<i64> = offsets.into_iter().flatten().collect();
        tracing::info!(?offsets, "clock measured");
        if !offsets.is_empty() {
            *measured = Some(Instant::now());
            self.clock.restart(offsets);
        }
    }

    async fn measure_offset(&self, node: &Node) -> Option<i64> {
        let path = self.find_path(Some(&node.ed25519), &[]).await.ok()??;
        let answer = self.ask(&path, node, &Rpc::info()).await.ok()?;
        let info = reply::Info::read(&answer.body).ok()?;
        Some(answer.trip.offset(info.timestamp))
    }
}

/// The codes within a batch's or sequence's reply; none for other replies.
fn sub_codes(body: &Value) -> Vec<u16> {
    let results = body.get("results").and_then(Value::as_array);
    let code = |result: &Value| result.get("code")?.as_u64()?.try_into().ok();
    results.into_iter().flatten().filter_map(code).collect()
}

/// The swarm that a 421 tells about, itself or in one of its parts.
fn moved_to(body: &Value) -> Option<SwarmReply> {
    let parts = body.get("results").and_then(Value::as_array).into_iter().flatten();
    let parts = parts.filter_map(|part| part.get("body"));
    std::iter::once(body).chain(parts).find_map(|body| SwarmReply::read(body).ok())
}

#[cfg(test)]
mod tests {
    use septet_protocol::crypto::Ed25519Secret;
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_are_found_in_batches_only() {
        assert_eq!(
            sub_codes(&json!({ "results": [{ "code": 200 }, { "code": 421, "body": "" }] })),
            [200, 421]
        );
        assert_eq!(sub_codes(&json!({ "messages": [] })), [] as [u16; 0]);
    }

    #[test]
    fn the_new_swarm_is_found_at_the_top_or_in_a_part() {
        let key = Ed25519Secret::from_seed([1; 32]).public();
        let swarm = json!({ "snodes": [{ "ip": "1.2.3.4", "port_https": 5, "pubkey_ed25519": key }] });
        assert!(moved_to(&swarm).is_some());
        assert!(
            moved_to(&json!({ "results": [{ "code": 421, "body": "" }, { "code": 421, "body": swarm }] }))
                .is_some()
        );
        assert!(moved_to(&json!("")).is_none());
    }
}
