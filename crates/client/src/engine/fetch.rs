//! Fetching what a member of our own swarm has, one reply's worth at a time (spec 03 §10.2).
//!
//! One request asks for all compartments of the account: configs and messages. Its answer is applied in order, configs
//! first; a kill between any two steps only makes the next request fetch again what was not stored.
//!
//! Decision: how much is asked for at once is decided in [`page_size`](super::page_size), and what came is stored by
//! [`arrivals`]. It is taken in only when the network's time is known, because of much of it the age decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace};
use septet_protocol::swarm::reply::{self, RetrieveReply, SubReply};
use septet_protocol::swarm::request::Retrieve;
use septet_protocol::swarm::{Batch, MemberKeys, Rpc};
use septet_protocol::time::Timestamp;
use tokio::time::{Instant, timeout};

use super::page_size::PageSize;
use super::{Engine, arrivals};
use crate::store::StoreError;

/// The compartments of an account in the order they are applied (spec 05 §1), and the share of a reply for each: one
/// part of so many.
pub const COMPARTMENTS: Batch<'static, (Namespace, i64)> = Batch::of(&[
    (Namespace::USER_PROFILE, 8),
    (Namespace::CONTACTS, 8),
    (Namespace::USER_GROUPS, 8),
    (Namespace::CONVO_INFO_VOLATILE, 8),
    (Namespace::MESSAGES, 2),
]);
/// The network's time is known long before that, or nobody tells it.
const TIME_WAIT: Duration = Duration::from_secs(10);

/// Why nothing, or not all, was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The network did not answer.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The store could not keep what came.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node could not read one of the compartments. What the others had is stored.
    #[error("a member of the swarm cannot read {0}")]
    Unreadable(Namespace),
    /// All members that were asked sent what is not what it says it is.
    #[error("members of the swarm send forged messages")]
    Forged,
    /// What came cannot be taken in yet; it will come again.
    #[error("the network's time is not known yet")]
    TimeUnknown,
}

/// Where the member is kept that was read to its end last.
const LAST_MEMBER: &str = "last_member";

/// The member that was read to its end last, in an earlier run; else any of which it is known where to go on.
pub async fn somebody_known(engine: &Engine) -> Result<Option<Ed25519Public>, StoreError> {
    let account = Account::from(engine.me());
    let read =
        engine.store.read(move |db| Ok((db.last_hashes(account)?, db.setting::<String>(LAST_MEMBER)?)));
    let (marks, last) = read.await?;
    let known: BTreeSet<Ed25519Public> = tellers(&marks).copied().collect();
    let last = last.and_then(|key| key.parse().ok()).filter(|last| known.contains(last));
    Ok(last.or_else(|| fastrand::choice(known)))
}

/// Writes down that a member was read to its end, for the next start to begin there.
pub async fn remember(engine: &Engine, member: Ed25519Public) -> Result<(), StoreError> {
    engine.store.call(move |db| db.set_setting(LAST_MEMBER, &member.to_string())).await
}

/// Members of whose messages it is known where to go on.
fn tellers(
    marks: &BTreeMap<(Ed25519Public, Namespace), MessageHash>,
) -> impl Iterator<Item = &Ed25519Public> {
    marks.keys().filter(|(_, namespace)| *namespace == Namespace::MESSAGES).map(|(node, _)| node)
}

/// What one request brought.
pub struct Page {
    /// The member that answered.
    pub node: Ed25519Public,
    /// All members of the swarm.
    pub swarm: MemberKeys,
    /// How often the marks had been reset when it was asked.
    generation: i64,
    /// Members that need not send everything.
    pub known: BTreeSet<Ed25519Public>,
    /// There is more.
    pub more: bool,
    /// Messages that are new here.
    pub messages: u64,
    /// What the member listed.
    pub listed: Vec<MessageHash>,
    /// What of that is not over.
    pub shown: Vec<MessageHash>,
    /// What of that nobody had shown before.
    pub new: BTreeSet<MessageHash>,
    /// A compartment that the member could not read.
    pub unreadable: Option<Namespace>,
    /// Some of the answer is not what it has to be.
    pub forged: bool,
}

/// Fetches and stores one reply's worth.
pub async fn fetch(
    engine: &Arc<Engine>,
    compartments: Batch<'_, (Namespace, i64)>,
    prefer: Option<Ed25519Public>,
    size: &mut PageSize,
) -> Result<Page, FetchError> {
    let account = Account::from(engine.me());
    let marks = engine.store.read(move |db| Ok((db.last_hashes(account)?, db.cursor_generation(account)?)));
    let (marks, generation) = marks.await?;
    let (begun, asked) = (Instant::now(), *size);
    let build = |node: &Ed25519Public, now| request(engine, compartments, &marks, node, asked, now);
    let reply = match engine.network.swarm_request_at(&account, prefer, build).await {
        Ok(reply) => reply,
        Err(error) => {
            if matches!(error, NetworkError::Timeout | NetworkError::Failed) {
                size.halve();
            }
            return Err(error.into());
        }
    };
    size.came(begun.elapsed());
    let now = timeout(TIME_WAIT, engine.network.time_known()).await.map_err(|_| FetchError::TimeUnknown)?;
    let mut page = Page {
        node: reply.node,
        swarm: reply.swarm,
        generation,
        known: tellers(&marks).copied().collect(),
        more: false,
        messages: 0,
        listed: Vec::new(),
        shown: Vec::new(),
        new: BTreeSet::new(),
        unreadable: None,
        forged: false,
    };
    let results = reply::results(reply.body).unwrap_or_default();
    // Who leaves some out has not answered what it was asked.
    page.forged = results.len() != compartments.iter().len();
    for ((namespace, _), result) in compartments.iter().copied().zip(results) {
        let mark = marks.get(&(page.node, namespace)).copied();
        take_in(engine, &mut page, namespace, &result, mark, now).await?;
    }
    Ok(page)
}

/// Stores what a member has in one compartment.
async fn take_in(
    engine: &Arc<Engine>,
    page: &mut Page,
    namespace: Namespace,
    result: &SubReply,
    mark: Option<MessageHash>,
    now: Timestamp,
) -> Result<(), FetchError> {
    if !result.is_ok() {
        // One compartment that a member cannot read must not hide the others.
        tracing::debug!(%namespace, code = result.code, "a retrieve failed");
        page.unreadable = Some(namespace);
        return Ok(());
    }
    let Ok(fetched) = RetrieveReply::read(&result.body, &Account::from(engine.me()), namespace) else {
        page.forged = true;
        return Ok(());
    };
    page.forged |= fetched.forged > 0;
    let moved = fetched.messages.last().is_some_and(|last| mark != Some(last.hash));
    if moved {
        page.more |= fetched.more;
        let source = arrivals::Source { node: page.node, namespace, generation: page.generation };
        let arrived = arrivals::store(engine, source, fetched, now).await?;
        page.listed.extend(arrived.listed);
        page.shown.extend(arrived.shown);
        page.new.extend(arrived.new);
        page.messages += arrived.messages;
    }
    Ok(())
}

/// The request for one page.
fn request(
    engine: &Engine,
    compartments: Batch<'_, (Namespace, i64)>,
    marks: &BTreeMap<(Ed25519Public, Namespace), MessageHash>,
    node: &Ed25519Public,
    size: PageSize,
    now: Timestamp,
) -> Rpc {
    let auth = engine.credentials().auth();
    let retrieve = |&(namespace, parts): &(Namespace, i64)| {
        let last_hash = marks.get(&(*node, namespace)).copied();
        Retrieve { namespace, last_hash, max_size: Some(size.share(parts)) }.rpc(&auth, now)
    };
    Rpc::batch(compartments, retrieve)
}
