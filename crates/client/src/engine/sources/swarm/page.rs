//! One question to a member of a swarm, and what it answered.
//!
//! A question asks for all compartments at once, each from where that member's answers ended last time (spec 03 §10.2).
//! The answer comes in parts, one for each compartment in which there is something.

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
use crate::engine::Engine;
use crate::engine::credentials::Credentials;
use crate::engine::sources::source::PollError;
use crate::store::{Db, StoreError};

/// The network's time is known long before that, or nobody tells it.
const TIME_WAIT: Duration = Duration::from_secs(10);

/// What a compartment holds, in the order in which compartments are taken in: what is needed to read or to judge the
/// rest comes first (spec 03 §10.2, 06 §10.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Contents {
    /// A config document.
    Config,
    /// Messages that people wrote.
    Messages,
}

/// A part of what a swarm keeps of an account, and how it is asked for.
#[derive(Clone, Copy)]
pub struct Compartment {
    /// Its number.
    pub namespace: Namespace,
    /// It may fill one part of so many of a reply.
    pub share: i64,
    /// What is in it.
    pub contents: Contents,
}

/// Where the answers of members ended, by member and compartment.
pub type Marks = BTreeMap<(Ed25519Public, Namespace), MessageHash>;

/// What to ask a member.
pub struct Question {
    /// Whom to begin with, if that matters.
    pub member: Option<Ed25519Public>,
    /// In the order of asking; answers are taken in in the order of their [`Contents`].
    pub compartments: Batch<'static, Compartment>,
    /// Where to go on.
    pub marks: Marks,
    /// How often the marks had been reset when they were read (spec 09 §5.2).
    pub generation: i64,
}

/// What a member answered, without the messages themselves.
pub struct Page {
    /// The member.
    pub node: Ed25519Public,
    /// All members of the swarm.
    pub swarm: MemberKeys,
    /// Members that need not send everything.
    pub known: BTreeSet<Ed25519Public>,
    /// There is more.
    pub more: bool,
    /// A compartment that the member could not read.
    pub unreadable: Option<Namespace>,
    /// Some of the answer is not what it has to be.
    pub forged: bool,
    /// What the member listed.
    pub listed: Vec<MessageHash>,
    /// What of that is not over; filled when the parts are taken in, as what follows is.
    pub shown: Vec<MessageHash>,
    /// What of that nobody had shown before.
    pub new: BTreeSet<MessageHash>,
    /// Messages that are new here.
    pub messages: u64,
}

/// What a member has in one compartment, as far as it is new from there.
pub struct Part {
    /// The member.
    pub node: Ed25519Public,
    /// Where it was.
    pub compartment: Compartment,
    /// Its messages, each with the bytes that its name belongs to.
    pub fetched: RetrieveReply,
    /// How often the marks had been reset when it was asked for.
    pub generation: i64,
    /// The network's time when it came.
    pub now: Timestamp,
}

/// What a swarm keeps of one account, and who may ask for it.
pub struct Swarm {
    /// What is asked with, and where answers go.
    pub engine: Arc<Engine>,
    /// Who signs; also whose messages it keeps.
    pub credentials: Credentials,
    /// All that is asked for.
    pub compartments: Batch<'static, Compartment>,
}

impl Swarm {
    /// Whose messages it keeps.
    pub fn owner(&self) -> Account {
        self.credentials.owner()
    }

    /// What to ask: all compartments, from where answers ended last time.
    pub async fn question(
        &self,
        member: Option<Ed25519Public>,
        compartments: Batch<'static, Compartment>,
    ) -> Result<Question, StoreError> {
        let owner = self.owner();
        // In this order: marks from before a reset that comes in between must not count as from after it.
        let read = move |db: &Db| Ok((db.cursor_generation(owner)?, db.last_hashes(owner)?));
        let (generation, marks) = self.engine.store.read(read).await?;
        Ok(Question { member, compartments, marks, generation })
    }

    /// Asks a member, or another one if it does not answer. The parts come in the order they are to be taken in.
    pub async fn ask(
        &self,
        question: &Question,
        size: &mut PageSize,
    ) -> Result<(Page, Vec<Part>), PollError> {
        let (begun, asked, owner) = (Instant::now(), *size, self.owner());
        let build = |node: &Ed25519Public, now| self.request(question, node, asked, now);
        let reply = match self.engine.network.swarm_request_at(&owner, question.member, build).await {
            Ok(reply) => reply,
            Err(error) => {
                if matches!(error, NetworkError::Timeout | NetworkError::Failed) {
                    size.halve();
                }
                return Err(error.into());
            }
        };
        size.came(begun.elapsed());
        let known = timeout(TIME_WAIT, self.engine.network.time_known());
        let now = known.await.map_err(|_| PollError::TimeUnknown)?;
        let answer = Answer { node: reply.node, owner, generation: question.generation, now };
        let page = Page::new(reply.node, reply.swarm, self.tellers(&question.marks).collect());
        let results = reply::results(reply.body).unwrap_or_default();
        let wanted: Vec<(Compartment, Option<MessageHash>)> = question
            .compartments
            .iter()
            .map(|it| (*it, question.marks.get(&(reply.node, it.namespace)).copied()))
            .collect();
        // Names are compared with what megabytes of bytes demand.
        let read = tokio::task::spawn_blocking(move || answer.read(page, &wanted, results));
        read.await.map_err(|_| StoreError::Closed.into())
    }

    /// Members of whose messages it is known where to go on.
    pub fn tellers(&self, marks: &Marks) -> impl Iterator<Item = Ed25519Public> {
        let messages = self.compartments.iter().filter(|it| it.contents == Contents::Messages);
        let namespaces: BTreeSet<Namespace> = messages.map(|it| it.namespace).collect();
        marks.keys().filter(move |(_, namespace)| namespaces.contains(namespace)).map(|(node, _)| *node)
    }

    /// The request for one page.
    fn request(&self, question: &Question, node: &Ed25519Public, size: PageSize, now: Timestamp) -> Rpc {
        let auth = self.credentials.auth();
        let retrieve = |it: &Compartment| {
            let last_hash = question.marks.get(&(*node, it.namespace)).copied();
            let namespace = it.namespace;
            Retrieve { namespace, last_hash, max_size: Some(size.share(it.share)) }.rpc(&auth, now)
        };
        Rpc::batch(question.compartments, retrieve)
    }
}

/// Who answered, of whose messages, and when.
struct Answer {
    node: Ed25519Public,
    owner: Account,
    generation: i64,
    now: Timestamp,
}

impl Answer {
    /// Reads the results for these compartments, each with the mark from where it was asked.
    fn read(
        &self,
        mut page: Page,
        wanted: &[(Compartment, Option<MessageHash>)],
        results: Vec<SubReply>,
    ) -> (Page, Vec<Part>) {
        // Who leaves some out has not answered what it was asked.
        page.forged = results.len() != wanted.len();
        let mut parts = Vec::new();
        for ((compartment, mark), result) in wanted.iter().zip(results) {
            parts.extend(self.read_part(&mut page, *compartment, *mark, &result));
        }
        parts.sort_by_key(|part| part.compartment.contents);
        (page, parts)
    }

    /// Reads what the member has in one compartment; nothing if there is nothing new.
    fn read_part(
        &self,
        page: &mut Page,
        compartment: Compartment,
        mark: Option<MessageHash>,
        result: &SubReply,
    ) -> Option<Part> {
        let namespace = compartment.namespace;
        if !result.is_ok() {
            // One compartment that a member cannot read must not hide the others.
            tracing::debug!(%namespace, code = result.code, "a retrieve failed");
            page.unreadable = Some(namespace);
            return None;
        }
        let Ok(fetched) = RetrieveReply::read(&result.body, &self.owner, namespace) else {
            page.forged = true;
            return None;
        };
        page.forged |= fetched.forged > 0;
        let last = fetched.messages.last()?.hash;
        if mark == Some(last) {
            return None;
        }
        page.more |= fetched.more;
        page.listed.extend(fetched.messages.iter().map(|message| message.hash));
        let (node, now, generation) = (self.node, self.now, self.generation);
        Some(Part { node, compartment, fetched, generation, now })
    }
}

impl Page {
    fn new(node: Ed25519Public, swarm: MemberKeys, known: BTreeSet<Ed25519Public>) -> Self {
        Self {
            node,
            swarm,
            known,
            more: false,
            unreadable: None,
            forged: false,
            listed: Vec::new(),
            shown: Vec::new(),
            new: BTreeSet::new(),
            messages: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use septet_protocol::id::GroupId;
    use septet_protocol::swarm::message_hash;
    use serde_json::{Value, json};

    use super::*;

    const OWNER: Account = Account::Group(GroupId([3; 32]));
    /// As a group's swarm is asked: its messages first, so that what they need is at least as new (spec 06 §10.1).
    const COMPARTMENTS: [Compartment; 3] = [
        Compartment { namespace: Namespace(11), share: 2, contents: Contents::Messages },
        Compartment { namespace: Namespace(13), share: 8, contents: Contents::Config },
        Compartment { namespace: Namespace(14), share: 8, contents: Contents::Config },
    ];

    /// A node's answer for a compartment in which there is this.
    fn holds(namespace: i16, data: &[&[u8]], more: bool) -> SubReply {
        let message = |data: &&[u8]| {
            let hash = message_hash(&OWNER, Namespace(namespace), data).to_string();
            let data = data_encoding::BASE64.encode(data);
            json!({ "hash": hash, "timestamp": 1000, "expiration": 9000, "data": data })
        };
        let messages: Vec<Value> = data.iter().map(message).collect();
        SubReply { code: 200, body: json!({ "messages": messages, "more": more }) }
    }

    /// What is made of the answers of a member of a group's swarm that was asked from these marks.
    fn read(marks: [Option<MessageHash>; 3], results: Vec<SubReply>) -> (Page, Vec<i16>) {
        let node = Ed25519Public([1; 32]);
        let answer = Answer { node, owner: OWNER, generation: 0, now: Timestamp::from_ms(2000) };
        let wanted: Vec<_> = COMPARTMENTS.into_iter().zip(marks).collect();
        let page = Page::new(node, MemberKeys::default(), BTreeSet::new());
        let (page, parts) = answer.read(page, &wanted, results);
        (page, parts.iter().map(|part| part.compartment.namespace.0).collect())
    }

    #[test]
    fn what_the_rest_needs_comes_first_whatever_was_asked_first() {
        let results =
            vec![holds(11, &[b"text"], true), holds(13, &[b"info"], false), holds(14, &[b"all"], false)];
        let (page, order) = read([None; 3], results);
        assert_eq!(order, [13, 14, 11]);
        assert!(page.more && !page.forged && page.unreadable.is_none());
        assert_eq!(page.listed.len(), 3);
    }

    #[test]
    fn what_is_not_new_or_not_true_hides_nothing_else() {
        let known = message_hash(&OWNER, Namespace(11), b"text");
        let refused = SubReply { code: 401, body: json!("no") };
        let results = vec![holds(11, &[b"text"], true), refused, holds(14, &[b"all"], false)];
        let (page, order) = read([Some(known), None, None], results);
        assert_eq!(order, [14]);
        assert!(!page.more, "of what is known there is no more");
        assert_eq!((page.unreadable, page.forged), (Some(Namespace(13)), false));
        // Named as something else, cut off, or no answer at all.
        let forged = vec![holds(12, &[b"text"], false), holds(13, &[b"info"], false), holds(14, &[], false)];
        let (page, order) = read([None; 3], forged);
        assert_eq!((order, page.forged), (vec![13], true));
        let (page, order) = read([None; 3], vec![holds(11, &[b"text"], false)]);
        assert_eq!((order, page.forged), (vec![11], true));
        assert!(read([None; 3], vec![]).0.forged);
    }
}
