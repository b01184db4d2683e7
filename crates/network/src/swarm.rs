//! Asking swarms: the right member, and another one when it fails (spec 03 §4, §7, §10.3; 09 §3.4).
//!
//! Decision: one loop for every request to a swarm. A request is built anew for each try, by a function of the member
//! (what was last fetched is known per node) and of network time (which signatures cover). Each try goes to another
//! member, drawn at random, and over another path if the last one failed ([`Attempts`]). A member that sends us to
//! another swarm is not followed on its own word: a second node is asked, and once in a request we go where both say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::{MemberKeys, Node, ReplyError, Rpc, SwarmReply, reply};
use septet_protocol::time::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use crate::attempts::{Attempts, Failure, Next, QUESTION};
use crate::choose;
use crate::error::NetworkError;
use crate::failure::{self, Verdict};
use crate::onion::{Answer, Fault, Unanswered};
use crate::path::Path;
use crate::policy::Claim;
use crate::shared::Shared;

/// How many nodes are asked for the time.
const CLOCKS: usize = 3;
/// How many nodes are asked who is in a swarm until two of them agree.
const WITNESSES: usize = 4;
/// With fewer usable members than this the list of nodes is doubted.
const FEW: usize = 3;

/// One request to a swarm.
struct Request<'a> {
    account: &'a Account,
    /// Whom to ask first.
    prefer: Option<Ed25519Public>,
    attempts: Attempts,
    /// Whether another swarm was followed already.
    redirected: bool,
    /// When the last try was built.
    asked: Option<Instant>,
    /// Members that found our clock wrong.
    clock_complaints: Vec<Ed25519Public>,
    /// Whether somebody on a path found it wrong.
    doubted_clock: bool,
    /// Whether a member has refused it for what it is.
    refused: bool,
    /// Whether some of it has left this machine.
    left: bool,
}

impl Request<'_> {
    /// Why it is given up. That there is no network is said only if nothing of it is out.
    fn given_up(&self, error: NetworkError) -> NetworkError {
        match error {
            NetworkError::Offline if self.left => NetworkError::Timeout,
            other => other,
        }
    }
}

/// What one try has brought.
enum Try<T> {
    Done(T),
    Next(Next),
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
        let mut request = Request {
            account,
            prefer,
            attempts: Attempts::new(&QUESTION),
            redirected: false,
            asked: None,
            clock_complaints: Vec::new(),
            doubted_clock: false,
            refused: false,
            left: false,
        };
        loop {
            let (member, path) =
                self.member_and_path(&request).await.map_err(|error| request.given_up(error))?;
            request.attempts.paths.push(path.id);
            request.asked = Some(Instant::now());
            let rpc = build(&member.ed25519, self.clock.now());
            let outcome = match self.ask(&path, &member, &rpc).await {
                Ok(answer) => {
                    request.left = true;
                    self.weigh(&member, answer, &read, &mut request).await
                }
                Err(Unanswered { fault, verdict, left }) => {
                    request.left |= left;
                    Try::Next(self.weigh_fault(&fault, verdict, &member, &mut request).await)
                }
            };
            match outcome {
                Try::Done(value) => return Ok((member.ed25519, value)),
                Try::Next(Next::GiveUp(error)) => return Err(request.given_up(error)),
                Try::Next(Next::Again(pause)) => sleep(pause).await,
            }
        }
    }

    /// What a member's own word means for the request.
    async fn weigh<T>(
        &self,
        member: &Node,
        answer: Answer,
        read: &impl Fn(&MemberKeys, Value) -> Result<T, ReplyError>,
        request: &mut Request<'_>,
    ) -> Try<T> {
        let verdict = match failure::node(answer.status) {
            Verdict::Deliver => failure::batch(sub_codes(&answer.body)),
            other => other,
        };
        let failed = match verdict {
            Verdict::Deliver => match read(&self.member_keys(request.account), answer.body) {
                Ok(value) => return Try::Done(value),
                Err(error) => NetworkError::BadReply(error),
            },
            Verdict::Refuse => {
                let error = NetworkError::Rejected { status: answer.status, text: answer.text() };
                return Try::Next(refused(member, error, request));
            }
            Verdict::WrongSwarm => return Try::Next(self.redirect(member, &answer.body, request).await),
            Verdict::ClockOff => return Try::Next(self.correct_clock(member, request).await),
            Verdict::Busy => {
                request.attempts.tried.push(member.ed25519);
                return Try::Next(request.attempts.failed(Failure::Busy, NetworkError::Failed));
            }
            _ => NetworkError::Failed,
        };
        Try::Next(self.member_failed(member, failed, request))
    }

    /// The member itself did not do what it should.
    fn member_failed(&self, member: &Node, error: NetworkError, request: &mut Request<'_>) -> Next {
        self.tell(|policy, now| policy.strike(&member.ed25519, now));
        request.attempts.tried.push(member.ed25519);
        request.attempts.failed(Failure::Destination, error)
    }

    async fn weigh_fault(
        &self,
        fault: &Fault,
        verdict: Verdict,
        member: &Node,
        request: &mut Request<'_>,
    ) -> Next {
        let error = match fault {
            Fault::NoNetwork => return Next::GiveUp(NetworkError::Offline),
            Fault::GuardUnreachable => NetworkError::Offline,
            Fault::NoReply | Fault::Slow => NetworkError::Timeout,
            _ => NetworkError::Failed,
        };
        let failure = match verdict {
            // Any hop can say so. Once we look, and if it goes on, it is the path that is no good.
            Verdict::ClockOff if !request.doubted_clock => {
                request.doubted_clock = true;
                self.measure_clock(request.asked).await;
                return request.attempts.detour(NetworkError::ClockOff);
            }
            Verdict::Busy => Failure::Busy,
            _ => Failure::Path,
        };
        // Nobody knows whether it was the path or the member: the next try has another of each.
        request.attempts.tried.push(member.ed25519);
        request.attempts.failed(failure, error)
    }

    /// The member says that it does not keep the account. If it says who does, that is a claim to be checked.
    async fn redirect(&self, member: &Node, body: &Value, request: &mut Request<'_>) -> Next {
        let account = request.account;
        let members = moved_to(body);
        let named = members.iter().flatten().map(|node| node.ed25519);
        let claim =
            self.ask_policy(|policy| policy.swarms.claim(account, &member.ed25519, named, &policy.pool));
        if let Claim::Check { members, parties } = claim {
            if request.redirected {
                return self.member_failed(member, NetworkError::Failed, request);
            }
            request.redirected = true;
            if !self.second_says_so(account, &members, &parties).await {
                return self.member_failed(member, NetworkError::Failed, request);
            }
            return request.attempts.detour(NetworkError::Failed);
        }
        self.tell(|policy, now| {
            policy.swarms.has_left(account, &member.ed25519);
            policy.doubt_list(now);
        });
        request.attempts.tried.push(member.ed25519);
        request.attempts.detour(NetworkError::Failed)
    }

    /// Whether somebody who has no part in it names about the same members of an account's swarm; then they are
    /// believed.
    async fn second_says_so(
        &self,
        account: &Account,
        claimed: &BTreeSet<Ed25519Public>,
        parties: &BTreeSet<Ed25519Public>,
    ) -> bool {
        for node in self.off_path_nodes(2, |key| parties.contains(key)) {
            let Ok(second) = self.ask_for_swarm(&node, account).await else { continue };
            let named = second.iter().map(|node| node.ed25519);
            let believed = self.tell(|policy, now| {
                let believed = policy.swarms.confirm(account, claimed, named, &policy.pool);
                if believed && claimed.len() < FEW {
                    policy.doubt_list(now);
                }
                believed
            });
            tracing::debug!(believed, "a swarm is said to have changed");
            return believed;
        }
        false
    }

    /// The member finds our clock wrong. The first time we measure it; a member that complains again has it wrong itself.
    async fn correct_clock(&self, member: &Node, request: &mut Request<'_>) -> Next {
        if request.clock_complaints.contains(&member.ed25519) {
            return self.member_failed(member, NetworkError::ClockOff, request);
        }
        request.clock_complaints.push(member.ed25519);
        self.measure_clock(request.asked).await;
        request.attempts.detour(NetworkError::ClockOff)
    }

    fn member_keys(&self, account: &Account) -> MemberKeys {
        self.known_swarm(account).iter().map(|member| member.ed25519).collect()
    }

    fn known_swarm(&self, account: &Account) -> Vec<Node> {
        self.ask_policy(|policy| policy.swarms.members(account, &policy.pool))
    }

    /// A member that has not been tried, and a path that does not lead through it.
    async fn member_and_path(&self, request: &Request<'_>) -> Result<(Node, Arc<Path>), NetworkError> {
        let mut members = self.swarm_members(request.account).await?;
        // After a clock correction the same member is asked again, so that it is known who was wrong.
        let wanted = request.clock_complaints.last().or(request.prefer.as_ref());
        let mut preferred = request.prefer;
        loop {
            let Some(member) = self.choose_member(&members, wanted, &request.attempts.tried) else {
                return Err(NetworkError::Failed);
            };
            match self.find_path(Some(&member.ed25519), &request.attempts.paths).await? {
                Some(path) => return Ok((member, path)),
                // Others would have to send everything once more (spec 03 §10.2).
                None if preferred.take() == Some(member.ed25519) => {
                    self.until_path_around(&member.ed25519).await;
                }
                None => members.retain(|node| node.ed25519 != member.ed25519),
            }
        }
    }

    /// The wanted member if it has not been tried; else any that has not, those that are gone around last; else any.
    fn choose_member(
        &self,
        members: &[Node],
        wanted: Option<&Ed25519Public>,
        tried: &[Ed25519Public],
    ) -> Option<Node> {
        let fresh: Vec<Node> =
            members.iter().filter(|node| !tried.contains(&node.ed25519)).copied().collect();
        if let Some(member) = fresh.iter().find(|node| Some(&node.ed25519) == wanted) {
            return Some(*member);
        }
        let now = Instant::now();
        let avoided: BTreeSet<Ed25519Public> = self.ask_policy(|policy| {
            let keys = members.iter().map(|node| node.ed25519);
            keys.filter(|key| policy.pool.is_avoided(key, now)).collect()
        });
        let good = fresh.iter().filter(|node| !avoided.contains(&node.ed25519)).copied().collect();
        choose::one(good, &mut SystemRandom)
            .or_else(|| choose::one(fresh, &mut SystemRandom))
            .or_else(|| choose::one(members.to_vec(), &mut SystemRandom))
    }

    /// Waits until a request to an account's swarm could go out.
    pub async fn reach(&self, account: &Account) -> Result<(), NetworkError> {
        self.swarm_members(account).await?;
        self.find_path(None, &[]).await.map(drop)
    }

    /// The members of an account's swarm, from memory or from the network.
    async fn swarm_members(&self, account: &Account) -> Result<Vec<Node>, NetworkError> {
        let known = self.known_swarm(account);
        if !known.is_empty() {
            return Ok(known);
        }
        // Without any node there is nobody to ask; this waits for the list, and for a path.
        self.find_path(None, &[]).await?;
        let known = self.known_swarm(account);
        if !known.is_empty() {
            return Ok(known);
        }
        self.agree_on_swarm(account).await?;
        Ok(self.known_swarm(account))
    }

    /// The list does not say who is in which swarm: nodes are asked until two of them agree.
    async fn agree_on_swarm(&self, account: &Account) -> Result<(), NetworkError> {
        let mut last = NetworkError::Failed;
        let mut said: Vec<BTreeSet<Ed25519Public>> = Vec::new();
        for node in self.off_path_nodes(WITNESSES, |_| false) {
            let members = match self.ask_for_swarm(&node, account).await {
                Ok(members) => members,
                Err(NetworkError::Offline) => return Err(NetworkError::Offline),
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            let named: BTreeSet<_> = members.iter().map(|node| node.ed25519).collect();
            let agreed = self.tell(|policy, _| {
                let mut before = said.iter();
                before.any(|claim| policy.swarms.confirm(account, claim, named.iter().copied(), &policy.pool))
            });
            if agreed {
                return Ok(());
            }
            said.push(named);
        }
        Err(last)
    }

    async fn ask_for_swarm(&self, node: &Node, account: &Account) -> Result<Vec<Node>, NetworkError> {
        let read = |body: Value| Ok(SwarmReply::read(&body)?.members);
        self.ask_node(node, &Rpc::get_swarm(account), read).await
    }

    /// Has this very node carry out a request that every node can.
    pub async fn ask_node<T>(
        &self,
        node: &Node,
        rpc: &Rpc,
        read: impl Fn(Value) -> Result<T, NetworkError>,
    ) -> Result<T, NetworkError> {
        let mut attempts = Attempts::new(&QUESTION);
        loop {
            let Some(path) = self.find_path(Some(&node.ed25519), &attempts.paths).await? else {
                return Err(NetworkError::Failed);
            };
            attempts.paths.push(path.id);
            let next = match self.ask(&path, node, rpc).await {
                Ok(answer) => match failure::node(answer.status) {
                    Verdict::Deliver => return read(answer.body),
                    Verdict::DestinationFailed => {
                        self.tell(|policy, now| policy.strike(&node.ed25519, now));
                        return Err(NetworkError::Failed);
                    }
                    _ => return Err(NetworkError::Rejected { status: answer.status, text: answer.text() }),
                },
                Err(Unanswered { fault: Fault::NoNetwork, .. }) => return Err(NetworkError::Offline),
                Err(Unanswered { verdict: Verdict::DestinationLost, .. }) => {
                    return Err(NetworkError::Failed);
                }
                // Perhaps it is this node that is silent; others can be asked.
                Err(Unanswered { fault: Fault::NoReply, .. }) if attempts.paths.len() > 1 => {
                    return Err(NetworkError::Timeout);
                }
                Err(Unanswered { fault: Fault::NoReply, .. }) => {
                    attempts.failed(Failure::Path, NetworkError::Timeout)
                }
                Err(_) => attempts.failed(Failure::Path, NetworkError::Failed),
            };
            match next {
                Next::Again(pause) => sleep(pause).await,
                Next::GiveUp(error) => return Err(error),
            }
        }
    }

    /// Measures the network's time by what three nodes say. `asked` is when the request was built that was found wrong:
    /// if the clock was measured since, that is enough, so requests that fail together share a measurement.
    pub async fn measure_clock(&self, asked: Option<Instant>) {
        let mut measured = self.measured.lock().await;
        if measured.is_some() && *measured >= asked {
            return;
        }
        let nodes = self.off_path_nodes(CLOCKS, |_| false);
        let words = join_all(nodes.iter().map(|node| self.measure_offset(node))).await;
        let words: Vec<(Ed25519Public, i64)> = words.into_iter().flatten().collect();
        tracing::info!(count = words.len(), "clock measured");
        *measured = Some(Instant::now());
        self.clock.restart(words);
    }

    async fn measure_offset(&self, node: &Node) -> Option<(Ed25519Public, i64)> {
        let path = self.find_path(Some(&node.ed25519), &[]).await.ok()??;
        let answer = self.ask(&path, node, &Rpc::info()).await.ok()?;
        let info = reply::Info::read(&answer.body).ok()?;
        Some((node.ed25519, answer.trip.offset(info.timestamp)))
    }
}

/// A member refuses the request for what it is. One alone may say so of a good one; a second is believed.
fn refused(member: &Node, error: NetworkError, request: &mut Request<'_>) -> Next {
    if std::mem::replace(&mut request.refused, true) {
        return Next::GiveUp(error);
    }
    request.attempts.tried.push(member.ed25519);
    request.attempts.detour(error)
}

/// The codes within a batch's or sequence's reply; none for other replies.
fn sub_codes(body: &Value) -> Vec<u16> {
    let results = body.get("results").and_then(Value::as_array);
    let code = |result: &Value| result.get("code")?.as_u64()?.try_into().ok();
    results.into_iter().flatten().filter_map(code).collect()
}

/// The members of the swarm that a 421 tells about, itself or in one of its parts.
fn moved_to(body: &Value) -> Option<Vec<Node>> {
    let parts = body.get("results").and_then(Value::as_array).into_iter().flatten();
    let parts = parts.filter_map(|part| part.get("body"));
    let swarm = std::iter::once(body).chain(parts).find_map(|body| SwarmReply::read(body).ok())?;
    Some(swarm.members)
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
