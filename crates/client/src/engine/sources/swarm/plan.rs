//! Whom to ask next what is new (spec 03 §10.2, §10.3), decided without doing it.
//!
//! Events go in (a member's page, a failure, the time), the next member comes out; chance is an argument.
//!
//! Decision: polls go to one *primary* member, because where to go on is known per member, and one that was never
//! asked sends everything of 14 days. But no member is believed alone: another one, the *second*, is asked the same
//! within the first minute and then every ten to fifteen polls, and takes over after about thirty. What any of them
//! has is taken in. The first primary is a member for which it is known where to go on, if there is one: everything
//! of 14 days takes minutes on a slow line, and would be here before anything new is. In the first round of a run that
//! goes on from an earlier one, the second is asked right after it: a program that only ever fetches once and ends would
//! else believe the same member for ever.
//!
//! Decision: a member *lacks* a message if it was asked to the end and did not show it, though others showed it some
//! seconds before that **and** another one after that; so a message on its way, or deleted meanwhile, blames nobody.
//! As soon as a member seems to lack something, a third one is asked at once, which settles it. A member that lacks
//! something, or sends what is forged, is avoided for a while; if all are, the one that was blamed first is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use septet_protocol::id::{Ed25519Public, MessageHash};

/// A message may be on its way to the other members for so long.
const IN_FLIGHT: Duration = Duration::from_secs(5);
/// The second is asked after so many polls at the latest, and at least two thirds of that.
const POLLS_PER_CHECK: u32 = 15;
/// … and after this time, however slow polls are.
const LONGEST_UNCHECKED: Duration = Duration::from_secs(40);
/// The primary changes after about so many polls.
const POLLS_PER_PRIMARY: u32 = 30;
/// How long a member that lacks something is avoided.
const AVOID_LACKING: Duration = Duration::from_secs(10 * 60);
/// How long one that forges is.
const AVOID_FORGING: Duration = Duration::from_secs(60 * 60);
/// Of what is shown, so much is remembered, for so long.
const MOST_WITNESSED: usize = 2000;
const WITNESSED_FOR: Duration = Duration::from_secs(5 * 60);
/// Of so many draws of a member, one is of those that would have to send everything.
const STRANGERS: u32 = 8;
/// With fewer known members than this, strangers are as welcome.
const ENOUGH_KNOWN: usize = 3;

/// What a member answered.
pub struct Page<'a> {
    /// Who.
    pub member: Ed25519Public,
    /// Whether this was all it has.
    pub complete: bool,
    /// What it showed.
    pub shown: &'a [MessageHash],
    /// What of that nobody had shown before, ever.
    pub new: &'a BTreeSet<MessageHash>,
    /// Some of it was not what its name says.
    pub forged: bool,
}

/// Who has shown a message, and who has not.
struct Witnessed {
    first: Duration,
    shown_by: BTreeSet<Ed25519Public>,
    missed_by: BTreeSet<Ed25519Public>,
}

/// The plan of one account's polls. Times are since any fixed moment of a clock that never jumps.
#[derive(Default)]
pub struct PollPlan {
    members: BTreeSet<Ed25519Public>,
    /// Those for which it is known where to go on.
    known: BTreeSet<Ed25519Public>,
    primary: Option<Ed25519Public>,
    second: Option<Ed25519Public>,
    until_check: u32,
    until_change: u32,
    checked: Duration,
    avoided: BTreeMap<Ed25519Public, Duration>,
    witnessed: BTreeMap<MessageHash, Witnessed>,
    /// Whom to ask at once.
    third: Option<Ed25519Public>,
    /// Whom to begin with.
    first: Option<Ed25519Public>,
    /// Nobody but the first has been heard in this run.
    unchecked: bool,
}

impl PollPlan {
    /// These are the members of the swarm.
    pub fn set_members<'a>(&mut self, members: impl IntoIterator<Item = &'a Ed25519Public>) {
        self.members = members.into_iter().copied().collect();
    }

    /// For these it is known where to go on.
    pub fn set_known(&mut self, known: impl IntoIterator<Item = Ed25519Public>) {
        self.known = known.into_iter().collect();
    }

    /// This one was read to its end last. If it was so in an earlier run, another one is to be heard after it.
    pub fn begin_with(&mut self, member: Option<Ed25519Public>, goes_on: bool) {
        self.first = member;
        self.unchecked = member.is_some() && goes_on;
    }

    /// Whether a member's answer only serves to check the primary's.
    pub fn is_check(&self, member: &Ed25519Public) -> bool {
        self.second == Some(*member)
    }

    /// A check has been broken off before its end: it goes on after another poll of the primary.
    pub fn broken_off(&mut self) {
        // Counted down before each poll.
        self.until_check = 2;
    }

    /// Whether somebody is to be asked at once.
    pub fn is_urgent(&self) -> bool {
        self.third.is_some()
    }

    /// The members that are avoided at this time.
    #[cfg(test)]
    fn avoided_at(&self, now: Duration) -> BTreeSet<Ed25519Public> {
        self.avoided.iter().filter(|(_, until)| **until > now).map(|(member, _)| *member).collect()
    }

    /// Whom to ask now; `None` leaves it to whoever asks, as long as no member is known. `random(n)` is below `n`.
    pub fn next(&mut self, now: Duration, random: &mut impl FnMut(u32) -> u32) -> Option<Ed25519Public> {
        if let Some(third) = self.third.take() {
            return Some(third);
        }
        if self.members.is_empty() {
            return None;
        }
        self.fill_places(now, random);
        self.until_change = self.until_change.saturating_sub(1);
        if self.until_change == 0 && self.second.is_some() {
            self.primary = self.second.take();
            self.until_change = around(POLLS_PER_PRIMARY, random);
            self.fill_places(now, random);
        }
        self.until_check = self.until_check.saturating_sub(1);
        let overdue = now.saturating_sub(self.checked) >= LONGEST_UNCHECKED;
        if self.second.is_some() && (self.until_check == 0 || overdue) {
            self.until_check = around(POLLS_PER_CHECK, random);
            self.checked = now;
            return self.second;
        }
        self.primary
    }

    /// Draws whoever is missing.
    fn fill_places(&mut self, now: Duration, random: &mut impl FnMut(u32) -> u32) {
        let gone = |place: Option<Ed25519Public>, plan: &Self| {
            place.is_none_or(|it| !plan.members.contains(&it) || plan.is_avoided(&it, now))
        };
        if gone(self.primary, self) {
            let begun = self.primary.is_some() || self.until_change > 0;
            let known = if begun { None } else { self.draw_first(now, random) };
            self.primary = known.or_else(|| self.draw(now, &[self.second], random));
            self.until_change = around(POLLS_PER_PRIMARY, random);
            if !begun {
                // The first check comes soon: until then, one member's word is all there is.
                self.until_check = 2 + random(POLLS_PER_CHECK - 5);
                self.checked = now;
            }
        }
        if gone(self.second, self) || self.second == self.primary {
            self.second = self.draw(now, &[self.primary], random).filter(|it| Some(*it) != self.primary);
        }
    }

    fn is_avoided(&self, member: &Ed25519Public, now: Duration) -> bool {
        let other = self.members.iter().any(|it| self.avoided.get(it).is_none_or(|until| *until <= now));
        other && self.avoided.get(member).is_some_and(|until| *until > now)
    }

    /// Whom to begin with: a member that needs not send everything, if there is one.
    fn draw_first(&self, now: Duration, random: &mut impl FnMut(u32) -> u32) -> Option<Ed25519Public> {
        let good = |member: &&Ed25519Public| self.members.contains(*member) && !self.is_avoided(member, now);
        let known: Vec<Ed25519Public> = self.known.iter().filter(good).copied().collect();
        self.first.filter(|first| known.contains(first)).or_else(|| pick(&known, random))
    }

    /// Who is to be heard besides the first of a run: one that need not send everything, if there is one. So all of it
    /// comes a second time once, and never again.
    fn draw_witness(
        &self,
        first: Ed25519Public,
        now: Duration,
        random: &mut impl FnMut(u32) -> u32,
    ) -> Option<Ed25519Public> {
        let good =
            |it: &&Ed25519Public| **it != first && self.members.contains(*it) && !self.is_avoided(it, now);
        let known: Vec<Ed25519Public> = self.known.iter().filter(good).copied().collect();
        pick(&known, random).or_else(|| self.draw(now, &[Some(first)], random).filter(|it| *it != first))
    }

    /// Any member that is not avoided and not one of these; as a rule one that needs not send everything.
    fn draw(
        &self,
        now: Duration,
        not: &[Option<Ed25519Public>],
        random: &mut impl FnMut(u32) -> u32,
    ) -> Option<Ed25519Public> {
        let free = |member: &&Ed25519Public| !not.contains(&Some(**member));
        let good: Vec<Ed25519Public> =
            self.members.iter().filter(free).filter(|it| !self.is_avoided(it, now)).copied().collect();
        let known: Vec<Ed25519Public> = good.iter().filter(|it| self.known.contains(it)).copied().collect();
        let among_known = known.len() >= ENOUGH_KNOWN && random(STRANGERS) > 0;
        let chosen = if among_known { pick(&known, random) } else { pick(&good, random) };
        // Blamed all of them: whoever was blamed first.
        let least =
            || self.members.iter().filter(free).min_by_key(|it| self.avoided.get(it).copied()).copied();
        chosen.or_else(least)
    }

    /// A member answered.
    pub fn page(&mut self, page: &Page<'_>, now: Duration, random: &mut impl FnMut(u32) -> u32) {
        self.known.insert(page.member);
        self.witnessed.retain(|_, it| it.first + WITNESSED_FOR > now);
        let mut blamed = BTreeSet::new();
        for hash in page.shown {
            if let Some(witnessed) = self.witnessed.get_mut(hash) {
                witnessed.shown_by.insert(page.member);
                witnessed.missed_by.remove(&page.member);
                // Theirs is what lacked it before, when it was there already.
                blamed.append(&mut witnessed.missed_by);
            } else if page.new.contains(hash) && self.witnessed.len() < MOST_WITNESSED {
                let shown_by = BTreeSet::from([page.member]);
                self.witnessed.insert(*hash, Witnessed { first: now, shown_by, missed_by: BTreeSet::new() });
            }
        }
        for member in blamed {
            self.avoid(member, now + AVOID_LACKING);
        }
        if page.complete {
            self.note_missed(page.member, now, random);
            if std::mem::take(&mut self.unchecked) && self.third.is_none() {
                self.second = self.draw_witness(page.member, now, random);
                self.third = self.second;
            }
        }
        if page.forged {
            self.avoid(page.member, now + AVOID_FORGING);
            self.third = self.draw(now, &[Some(page.member)], random).filter(|it| *it != page.member);
        }
    }

    /// A member has shown all it has: what it did not show is missing there, or deleted.
    fn note_missed(&mut self, member: Ed25519Public, now: Duration, random: &mut impl FnMut(u32) -> u32) {
        let mut doubtful = None;
        self.witnessed.retain(|_, it| {
            if !it.shown_by.contains(&member) && it.first + IN_FLIGHT <= now {
                it.missed_by.insert(member);
                if it.missed_by.len() > it.shown_by.len() {
                    // Two have it no more, and one had: it is deleted.
                    return false;
                }
                doubtful = Some(it.shown_by.union(&it.missed_by).copied().collect::<BTreeSet<_>>());
            }
            true
        });
        if let Some(asked) = doubtful {
            let not: Vec<Option<Ed25519Public>> = asked.iter().copied().map(Some).collect();
            let third = self.draw(now, &not, random);
            self.third = third.filter(|it| !asked.contains(it));
        }
    }

    fn avoid(&mut self, member: Ed25519Public, until: Duration) {
        let known = self.avoided.entry(member).or_default();
        *known = until.max(*known);
    }

    /// Another member answered than the one that was asked, or none did.
    pub fn failed(&mut self, asked: Option<Ed25519Public>) {
        for place in [&mut self.primary, &mut self.second] {
            if asked.is_some() && *place == asked {
                *place = None;
            }
        }
    }
}

/// Between two thirds of a number and all of it.
fn around(most: u32, random: &mut impl FnMut(u32) -> u32) -> u32 {
    most - random(most / 3 + 1)
}

fn pick(list: &[Ed25519Public], random: &mut impl FnMut(u32) -> u32) -> Option<Ed25519Public> {
    let count = u32::try_from(list.len()).ok().filter(|count| *count > 0)?;
    list.get(usize::try_from(random(count)).ok()?).copied()
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
