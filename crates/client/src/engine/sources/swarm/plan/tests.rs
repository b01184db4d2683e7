//! Histories of a swarm with one liar among its members, drawn at random.

use fastrand::Rng;

use super::*;

/// What the liar does.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Lie {
    Honest,
    HidesAll,
    HidesSome,
    Forges,
}

const LIES: [Lie; 4] = [Lie::Honest, Lie::HidesAll, Lie::HidesSome, Lie::Forges];

/// A message in the swarm.
struct Stored {
    hash: MessageHash,
    at: Duration,
    /// When it is deleted.
    until: Duration,
    hidden: bool,
}

/// A swarm, and who has asked it what.
struct World {
    members: Vec<Ed25519Public>,
    lie: Lie,
    stored: Vec<Stored>,
    shown: BTreeMap<Ed25519Public, BTreeSet<MessageHash>>,
    fetched: BTreeMap<MessageHash, Duration>,
    plan: PollPlan,
    rng: Rng,
}

impl World {
    /// A swarm of so many members, the first of which may lie.
    fn new(seed: u64, count: u8, lie: Lie) -> Self {
        let members: Vec<_> = (0..count).map(|number| Ed25519Public([number; 32])).collect();
        let mut plan = PollPlan::default();
        plan.set_members(&members);
        Self {
            members,
            lie,
            stored: Vec::new(),
            shown: BTreeMap::new(),
            fetched: BTreeMap::new(),
            plan,
            rng: Rng::with_seed(seed),
        }
    }

    /// A swarm of three to ten with any liar, in which so many messages are stored within this time.
    fn drawn(seed: u64, messages: usize, within: Duration) -> Self {
        let lie = LIES[seed as usize % LIES.len()];
        let mut world = Self::new(seed, 3 + (seed % 8) as u8, lie);
        for _ in 0..messages {
            let at = seconds(world.rng.u64(0..within.as_secs()));
            world.store(at, seconds(100_000));
        }
        world
    }

    fn store(&mut self, at: Duration, until: Duration) {
        let hash = MessageHash(std::array::from_fn(|_| self.rng.u8(..)));
        let hidden = self.lie == Lie::HidesAll || self.lie == Lie::HidesSome && self.rng.bool();
        self.stored.push(Stored { hash, at, until, hidden });
    }

    fn ask(&mut self, now: Duration) -> Ed25519Public {
        let rng = &mut self.rng;
        self.plan.next(now, &mut |below| rng.u32(..below)).unwrap()
    }

    /// Asks whom the plan wants and tells it the answer; returns who it was.
    fn poll(&mut self, now: Duration) -> Ed25519Public {
        let member = self.ask(now);
        let lies = member == self.members[0];
        let known = self.shown.entry(member).or_default();
        let mut shown = Vec::new();
        for message in &self.stored {
            // Copies are with the members after at most four seconds.
            let delay = Duration::from_millis(u64::from(member.0[0]) * 400);
            let there = message.at + delay <= now && now < message.until;
            if there && !(lies && message.hidden) && known.insert(message.hash) {
                shown.push(message.hash);
            }
        }
        let new: BTreeSet<_> =
            shown.iter().filter(|hash| !self.fetched.contains_key(hash)).copied().collect();
        for hash in &new {
            self.fetched.insert(*hash, now);
        }
        let forged = lies && self.lie == Lie::Forges;
        let page = Page { member, complete: true, shown: &shown, new: &new, forged };
        let rng = &mut self.rng;
        self.plan.page(&page, now, &mut |below| rng.u32(..below));
        member
    }

    /// Polls until then, about every two seconds; returns when each member was asked.
    fn run(&mut self, from: Duration, until: Duration) -> Vec<(Duration, Ed25519Public)> {
        let (mut now, mut asked) = (from, Vec::new());
        while now < until {
            asked.push((now, self.poll(now)));
            if !self.plan.is_urgent() {
                now += Duration::from_millis(self.rng.u64(1600..2400));
            }
        }
        asked
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn whatever_one_member_hides_is_here_within_a_minute() {
    for seed in 0..3000 {
        let mut world = World::drawn(seed, 6, seconds(180));
        let lie = world.lie;
        world.run(Duration::ZERO, seconds(260));
        for message in &world.stored {
            let fetched = world.fetched.get(&message.hash).copied();
            let late = fetched.is_none_or(|fetched| fetched > message.at + seconds(60));
            assert!(!late, "seed {seed}, {lie:?}: sent at {:?}, here at {fetched:?}", message.at);
        }
    }
}

#[test]
fn nobody_honest_is_avoided_and_a_liar_is() {
    for seed in 0..3000 {
        let mut world = World::drawn(seed, 20, seconds(400));
        let lie = world.lie;
        world.run(Duration::ZERO, seconds(500));
        let avoided = world.plan.avoided_at(seconds(500));
        let honest = world.members[1..].iter().find(|member| avoided.contains(member));
        assert_eq!(honest, None, "seed {seed}, {lie:?}");
        if lie == Lie::Honest {
            assert!(avoided.is_empty(), "seed {seed}");
        }
    }
    // A liar that was primary while something came is found, and does not come back for a while.
    for seed in 0..300 {
        let mut world = World::new(seed, 7, Lie::HidesAll);
        world.plan.primary = Some(world.members[0]);
        world.plan.until_change = 30;
        world.plan.until_check = 10;
        world.store(seconds(1), seconds(100_000));
        let asked = world.run(Duration::ZERO, seconds(120));
        assert!(world.plan.avoided_at(seconds(120)).contains(&world.members[0]), "seed {seed}");
        let last = asked.iter().rfind(|(_, member)| *member == world.members[0]).unwrap().0;
        assert!(last < seconds(60), "seed {seed}: still asked after {last:?}");
    }
}

#[test]
fn what_is_deleted_in_the_meantime_blames_nobody() {
    for seed in 0..2000 {
        let mut world = World::new(seed, 7, Lie::Honest);
        for _ in 0..20 {
            let at = world.rng.u64(0..300);
            let life = world.rng.u64(1..60);
            world.store(seconds(at), seconds(at + life));
        }
        world.run(Duration::ZERO, seconds(400));
        assert!(world.plan.avoided_at(seconds(400)).is_empty(), "seed {seed}");
    }
}

#[test]
fn a_forger_is_left_at_once() {
    for seed in 0..200 {
        let mut world = World::new(seed, 7, Lie::Forges);
        world.plan.primary = Some(world.members[0]);
        world.plan.until_change = 30;
        world.plan.until_check = 10;
        let asked = world.run(Duration::ZERO, seconds(600));
        assert_eq!(asked.iter().filter(|(_, member)| *member == world.members[0]).count(), 1, "seed {seed}");
        assert_eq!(asked[1].0, asked[0].0, "another one is asked at once");
    }
}

#[test]
fn the_first_to_be_asked_is_one_that_need_not_send_everything() {
    for seed in 0..100 {
        let mut world = World::new(seed, 7, Lie::Honest);
        let known = world.members[seed as usize % 7];
        world.plan.set_known([known]);
        assert_eq!(world.ask(Duration::ZERO), known, "seed {seed}");
        assert!(!world.plan.is_check(&known));
    }
}

#[test]
fn a_check_that_was_broken_off_goes_on_after_another_poll_of_the_primary() {
    for seed in 0..100 {
        let mut world = World::new(seed, 7, Lie::Honest);
        let primary = world.ask(Duration::ZERO);
        let second = (1..40).map(|second| world.ask(seconds(second))).find(|member| *member != primary);
        let second = second.unwrap();
        assert!(world.plan.is_check(&second));
        for again in 0..3 {
            world.plan.broken_off();
            assert_eq!(world.ask(seconds(20 + 2 * again)), primary, "seed {seed}");
            assert_eq!(world.ask(seconds(21 + 2 * again)), second, "seed {seed}");
        }
        assert_eq!(world.ask(seconds(26)), primary);
    }
}

#[test]
fn all_members_are_asked_but_few_at_a_time() {
    let mut world = World::new(1, 7, Lie::Honest);
    let asked = world.run(Duration::ZERO, seconds(3600));
    let everybody: BTreeSet<_> = asked.iter().map(|(_, member)| *member).collect();
    assert_eq!(everybody.len(), 7);
    let early: BTreeSet<_> = asked.iter().take_while(|(at, _)| *at < seconds(60)).collect();
    let early: BTreeSet<_> = early.iter().map(|(_, member)| *member).collect();
    assert!((2..=4).contains(&early.len()), "{early:?}");
}

#[test]
fn small_swarms_and_swarms_of_liars_are_still_asked() {
    let mut random = |_| 0;
    let mut plan = PollPlan::default();
    assert_eq!(plan.next(seconds(0), &mut random), None);
    let alone = Ed25519Public([1; 32]);
    plan.set_members([&alone]);
    let page = Page { member: alone, complete: true, shown: &[], new: &BTreeSet::new(), forged: true };
    for second in 0..100 {
        assert_eq!(plan.next(seconds(second), &mut random), Some(alone));
        plan.page(&page, seconds(second), &mut random);
        assert!(!plan.is_urgent());
    }
}

#[test]
fn who_does_not_answer_or_left_loses_its_place() {
    let mut world = World::new(5, 5, Lie::Honest);
    world.run(Duration::ZERO, seconds(30));
    let primary = world.plan.primary;
    world.plan.failed(primary);
    assert_eq!(world.plan.primary, None);
    world.ask(seconds(31));
    let left = world.plan.primary.unwrap();
    let rest: Vec<_> = world.members.iter().filter(|member| **member != left).copied().collect();
    world.plan.set_members(&rest);
    for second in 40..140 {
        assert_ne!(world.ask(seconds(second)), left);
    }
}

#[test]
fn whoever_fetches_once_and_ends_does_not_hear_the_same_member_only() {
    for seed in 0..100 {
        let mut world = World::new(seed, 7, Lie::HidesAll);
        let liar = world.members[0];
        world.store(Duration::ZERO, seconds(100_000));
        world.plan.begin_with(Some(liar), true);
        // As in the program: who is asked before any member is known is up to whoever asks.
        let page = Page { member: liar, complete: true, shown: &[], new: &BTreeSet::new(), forged: false };
        let rng = &mut world.rng;
        world.plan.page(&page, seconds(10), &mut |below| rng.u32(..below));
        assert!(world.plan.is_urgent(), "seed {seed}");
        let second = world.poll(seconds(10));
        assert_ne!(second, liar, "seed {seed}");
        assert!(world.plan.is_check(&second), "seed {seed}: it need not come to an end at once");
        assert_eq!(world.fetched.len(), 1, "seed {seed}");
        assert!(!world.plan.is_urgent(), "seed {seed}: once is enough");
    }
}

#[test]
fn a_new_device_reads_everything_from_one_member_first() {
    let mut world = World::new(1, 7, Lie::Honest);
    let restored_from = world.members[3];
    for (first, goes_on) in [(None, false), (None, true), (Some(restored_from), false)] {
        world.plan.begin_with(first, goes_on);
        world.poll(Duration::ZERO);
        assert!(!world.plan.is_urgent(), "{first:?} {goes_on}");
    }
}
