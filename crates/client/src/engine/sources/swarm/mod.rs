//! A swarm as a source: whom to ask, page after page, until all is here (spec 03 §10.2).
//!
//! One request fetches all compartments of an account: configs and messages. Its answer is taken in compartment by
//! compartment; a kill between any two only makes the next round fetch again what was not stored.
//!
//! Decision: whom to ask is decided in [`plan`], how much at once in [`page_size`]; [`page`] asks and reads, and
//! [`arrivals`] stores. What came is taken in only when the network's time is known, because of much of it the age
//! decides.
//!
//! Decision: a [`Swarm`] is who signs, for whose messages, and what to ask for: nothing here knows that it is our own,
//! which is one such value ([`own`]).

pub mod arrivals;
pub mod own;
pub mod page;
pub mod page_size;
mod plan;

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use septet_protocol::id::{Ed25519Public, MessageHash};
use septet_protocol::swarm::Batch;
use tokio::time::Instant;

use super::source::{PollError, Source};
use crate::engine::effects::Effects;
use crate::store::{Db, StoreError};
use arrivals::Items;
use page::{Compartment, Page, Part, Question, Swarm};
use page_size::PageSize;
use plan::PollPlan;

/// So many pages are fetched from one member in one round, more than a swarm can hold if they are small.
const MOST_PAGES: u32 = 2000;
/// So many members are asked in one round, should each make another one necessary.
const MOST_MEMBERS: u32 = 3;
/// A check of another member goes on for so long at a time; then it is looked again whether there is anything new.
const CHECK_AT_ONCE: Duration = Duration::from_secs(10);

impl Swarm {
    /// Asks for one page of some compartments, takes it in, and does what follows from it.
    pub async fn fetch(
        &self,
        compartments: Batch<'static, Compartment>,
        member: Option<Ed25519Public>,
        size: &mut PageSize,
    ) -> Result<Page, PollError> {
        let question = self.question(member, compartments).await?;
        let (mut page, parts) = self.ask(&question, size).await?;
        for part in parts {
            let items = self.decode(part).await?;
            self.engine.carry_out(self.apply(items, &mut page).await?);
        }
        Ok(page)
    }

    /// The setting that holds the member that was read to its end last.
    fn last_member(&self) -> String {
        format!("last_member {}", self.owner())
    }

    /// Writes down that a member was read to its end, for the next start to begin there.
    pub async fn remember(&self, member: Ed25519Public) -> Result<(), StoreError> {
        let setting = self.last_member();
        self.engine.store.call(move |db| db.set_setting(&setting, &member.to_string())).await
    }

    /// The member that was read to its end last, in an earlier run; else any of which it is known where to go on.
    async fn somebody_known(&self) -> Result<Option<Ed25519Public>, StoreError> {
        let (owner, setting) = (self.owner(), self.last_member());
        let read = move |db: &Db| Ok((db.last_hashes(owner)?, db.setting::<String>(&setting)?));
        let (marks, last) = self.engine.store.read(read).await?;
        let known: BTreeSet<Ed25519Public> = self.tellers(&marks).collect();
        let last = last.and_then(|key| key.parse().ok()).filter(|last| known.contains(last));
        Ok(last.or_else(|| fastrand::choice(known)))
    }
}

/// What was fetched from a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetched {
    /// All it has.
    All,
    /// Some of what it has, to check another one; the rest comes later.
    Part,
    /// Something that is not what it says it is.
    Forged,
}

/// A member that is being asked.
struct Asked {
    /// Whom the plan wanted; the network may go on to another one.
    wanted: Option<Ed25519Public>,
    begun: Instant,
    /// Pages of it so far.
    pages: u32,
    /// What it listed so far, from where its answers ended before.
    listed: HashSet<MessageHash>,
    /// How often the marks had been reset when it was asked last.
    generation: Option<i64>,
    /// The page that is being taken in.
    page: Option<Page>,
}

/// What is to be done when a swarm was read whole for the first time in this run.
pub type First = Box<dyn Fn() -> BoxFuture<'static, Result<Effects, StoreError>> + Send>;

/// A swarm and what is remembered of it from one round to the next.
pub struct SwarmSource {
    swarm: Swarm,
    pace: Duration,
    /// Not done yet.
    first: Option<First>,
    plan: PollPlan,
    size: PageSize,
    started: Instant,
    /// The primary that was read to its end last.
    last: Option<Ed25519Public>,
    /// So many members were begun with in this round.
    members: u32,
    asked: Option<Asked>,
}

impl SwarmSource {
    /// Nothing of it is known yet.
    pub fn new(swarm: Swarm, pace: Duration, first: Option<First>) -> Self {
        Self {
            swarm,
            pace,
            first,
            plan: PollPlan::default(),
            size: PageSize::default(),
            started: Instant::now(),
            last: None,
            members: 0,
            asked: None,
        }
    }

    /// Begins with the next member that the plan wants.
    async fn begin_member(&mut self) -> Result<Asked, StoreError> {
        let begun = Instant::now();
        let wanted = match self.plan.next(self.started.elapsed(), &mut random) {
            Some(member) => Some(member),
            None => {
                let known = self.swarm.somebody_known().await?;
                let goes_on = !self.swarm.engine.just_restored.load(Ordering::Relaxed);
                self.plan.begin_with(known, goes_on);
                known
            }
        };
        self.members += 1;
        Ok(Asked { wanted, begun, pages: 0, listed: HashSet::new(), generation: None, page: None })
    }

    /// A page was taken in: tells the plan, and finds out whether that was all there is to fetch from this member.
    async fn read_page(&mut self, asked: &mut Asked, mut page: Page) -> Result<Option<Fetched>, PollError> {
        if asked.wanted.is_some_and(|wanted| wanted != page.node) {
            // The network went on to another one.
            self.plan.failed(asked.wanted);
        }
        asked.wanted = Some(page.node);
        // Who shows the same again and promises more would never come to an end.
        let goes_on = page.listed.iter().filter(|hash| asked.listed.insert(**hash)).count() > 0;
        page.forged |= page.more && !goes_on;
        self.note(&page);
        if let Some(namespace) = page.unreadable {
            // A round is complete only with everything; or a restored account would push before it has heard all.
            self.plan.failed(asked.wanted);
            return Err(PollError::Unreadable(namespace));
        }
        if page.forged {
            return Ok(Some(Fetched::Forged));
        }
        let check = self.plan.is_check(&page.node);
        if !page.more {
            if !check && self.last.replace(page.node) != Some(page.node) {
                self.swarm.remember(page.node).await?;
            }
            return Ok(Some(Fetched::All));
        }
        if check && asked.begun.elapsed() >= CHECK_AT_ONCE {
            self.plan.broken_off();
            return Ok(Some(Fetched::Part));
        }
        Ok((asked.pages >= MOST_PAGES).then_some(Fetched::All))
    }

    /// Tells the plan what came.
    fn note(&mut self, page: &Page) {
        self.plan.set_members(page.swarm.iter());
        self.plan.set_known(page.known.iter().copied());
        let told = plan::Page {
            member: page.node,
            complete: !page.more && page.unreadable.is_none(),
            shown: &page.shown,
            new: &page.new,
            forged: page.forged,
        };
        self.plan.page(&told, self.started.elapsed(), &mut random);
    }
}

impl Source for SwarmSource {
    type Question = Question;
    type Part = Part;
    type Items = Items;

    fn begin(&mut self) {
        self.members = 0;
        if let Some(broken_off) = self.asked.take() {
            self.plan.failed(broken_off.wanted);
        }
    }

    async fn plan(&mut self) -> Result<Option<Question>, PollError> {
        let mut asked = match self.asked.take() {
            None => self.begin_member().await?,
            Some(mut asked) => match asked.page.take() {
                None => asked,
                Some(page) => match self.read_page(&mut asked, page).await? {
                    None => asked,
                    Some(fetched) => {
                        let enough = fetched != Fetched::Part && !self.plan.is_urgent();
                        if !enough && self.members < MOST_MEMBERS {
                            self.begin_member().await?
                        } else if fetched == Fetched::Forged {
                            return Err(PollError::Forged);
                        } else {
                            return Ok(None);
                        }
                    }
                },
            },
        };
        asked.pages += 1;
        let question = self.swarm.question(asked.wanted, self.swarm.compartments).await?;
        if asked.generation.replace(question.generation) != Some(question.generation) {
            // The marks were reset: what it listed already comes again, by right.
            asked.listed.clear();
        }
        self.asked = Some(asked);
        Ok(Some(question))
    }

    async fn fetch(&mut self, question: Question) -> Result<Vec<Part>, PollError> {
        let (page, parts) = self.swarm.ask(&question, &mut self.size).await?;
        if let Some(asked) = &mut self.asked {
            asked.page = Some(page);
        }
        Ok(parts)
    }

    async fn decode(&mut self, part: Part) -> Result<Items, PollError> {
        Ok(self.swarm.decode(part).await?)
    }

    async fn apply(&mut self, items: Items) -> Result<Effects, PollError> {
        let page = self.asked.as_mut().and_then(|asked| asked.page.as_mut());
        Ok(match page {
            Some(page) => self.swarm.apply(items, page).await?,
            // Nothing is applied that was not fetched.
            None => Effects::default(),
        })
    }

    async fn complete(&mut self) -> Result<Effects, PollError> {
        let Some(first) = &self.first else { return Ok(Effects::default()) };
        let doing = first();
        let effects = doing.await?;
        self.first = None;
        Ok(effects)
    }

    fn pace(&self) -> Duration {
        self.pace
    }
}

/// Any number below `below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}

#[cfg(test)]
mod tests;
