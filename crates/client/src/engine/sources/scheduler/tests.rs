//! Sources that only note when they are asked, in a time that moves on by itself.

use septet_network::NetworkError;
use septet_protocol::id::{Account, GroupId, SessionId};

use super::*;
use crate::engine::sources::source::Source;
use crate::store::StoreError;

/// How a round of a [`Fake`] is to end.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Outcome {
    Answer,
    Silence,
    FullDisk,
}

/// What a [`Fake`] does, and what it did.
#[derive(Default)]
struct Script {
    /// How long a question takes.
    takes: Duration,
    /// How long it waits after a complete round.
    pace: Duration,
    /// How its next rounds end; all later ones bring an answer.
    outcomes: Vec<Outcome>,
    /// So many questions to a round.
    pages: u32,
    began: Vec<Duration>,
    completed: u32,
    under_way: u32,
}

/// A world of fake sources.
struct World {
    sources: Arc<Sources>,
    scripts: Mutex<BTreeMap<SourceKey, Script>>,
    started: Instant,
    /// What was carried out.
    told: Mutex<Vec<Event>>,
    most_at_once: AtomicU64,
    at_once: AtomicU64,
    cancel: CancellationToken,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            sources: Arc::default(),
            scripts: Mutex::default(),
            started: Instant::now(),
            told: Mutex::default(),
            most_at_once: AtomicU64::new(0),
            at_once: AtomicU64::new(0),
            cancel: CancellationToken::new(),
        })
    }

    fn with<T>(&self, key: SourceKey, f: impl FnOnce(&mut Script) -> T) -> T {
        f(self.scripts.lock().unwrap().entry(key).or_default())
    }

    /// A source of this pace whose questions take so long comes.
    fn add(&self, key: SourceKey, pace: u64, takes: u64) {
        let (pace, takes) = (seconds(pace), seconds(takes));
        self.with(key, |script| *script = Script { pace, takes, pages: 1, ..Script::default() });
        self.sources.change(Change::Appeared(key));
    }

    /// Runs the scheduler beside the test.
    fn run(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let world = Arc::clone(self);
        tokio::spawn(async move {
            let make = |key| Some(Box::new(Fake::new(&world, key)) as Box<dyn AnySource>);
            let tell = |effects: Effects| world.told.lock().unwrap().extend(effects.events);
            world.sources.run(own(), make, &tell, &world.cancel).await;
        })
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn began(&self, key: SourceKey) -> Vec<Duration> {
        self.with(key, |script| script.began.clone())
    }

    /// The times between the rounds of a source that have begun so far.
    fn gaps(&self, key: SourceKey) -> Vec<Duration> {
        self.began(key).windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// How often something was told.
    fn problems(&self, text: &str) -> usize {
        let told = self.told.lock().unwrap();
        let is = |event: &&Event| matches!(event, Event::Problem(problem) if problem.contains(text));
        told.iter().filter(is).count()
    }
}

/// A source that does as its script says.
struct Fake {
    world: Arc<World>,
    key: SourceKey,
    page: u32,
}

impl Fake {
    fn new(world: &Arc<World>, key: SourceKey) -> Self {
        Self { world: Arc::clone(world), key, page: 0 }
    }
}

/// Counts who is asked, for as long as it lives: a round that is broken off is over as well.
struct UnderWay<'a>(&'a World, SourceKey);

impl<'a> UnderWay<'a> {
    fn new(world: &'a World, key: SourceKey) -> Self {
        world.with(key, |script| {
            script.under_way += 1;
            assert_eq!(script.under_way, 1, "asked twice at once");
        });
        if key != own() {
            let at_once = world.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            world.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        }
        Self(world, key)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.with(self.1, |script| script.under_way -= 1);
        if self.1 != own() {
            self.0.at_once.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Source for Fake {
    type Question = ();
    type Part = u32;
    type Items = u32;

    fn begin(&mut self) {
        self.page = 0;
        let now = self.world.now();
        self.world.with(self.key, |script| script.began.push(now));
    }

    async fn plan(&mut self) -> Result<Option<()>, PollError> {
        self.page += 1;
        Ok((self.page <= self.world.with(self.key, |script| script.pages)).then_some(()))
    }

    async fn fetch(&mut self, (): ()) -> Result<Vec<u32>, PollError> {
        let world = Arc::clone(&self.world);
        let _under_way = UnderWay::new(&world, self.key);
        let takes = world.with(self.key, |script| script.takes);
        tokio::time::sleep(takes).await;
        let next = |script: &mut Script| match script.outcomes.is_empty() {
            true => Outcome::Answer,
            false => script.outcomes.remove(0),
        };
        match world.with(self.key, next) {
            Outcome::Answer => Ok(vec![2 * self.page, 2 * self.page + 1]),
            Outcome::Silence => Err(NetworkError::Timeout.into()),
            Outcome::FullDisk => Err(StoreError::DiskFull.into()),
        }
    }

    async fn decode(&mut self, part: u32) -> Result<u32, PollError> {
        Ok(part)
    }

    async fn apply(&mut self, items: u32) -> Result<Effects, PollError> {
        let event = Event::Problem(format!("{items}"));
        Ok(Effects { events: vec![event], ..Effects::default() })
    }

    async fn complete(&mut self) -> Result<Effects, PollError> {
        self.world.with(self.key, |script| script.completed += 1);
        Ok(Effects { events: vec![Event::Synced], ..Effects::default() })
    }

    fn pace(&self) -> Duration {
        self.world.with(self.key, |script| script.pace)
    }
}

fn own() -> SourceKey {
    SourceKey::Swarm(Account::User(SessionId([5; 32])))
}

fn group(number: u8) -> SourceKey {
    SourceKey::Swarm(Account::Group(GroupId([number; 32])))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Whether a wait is this long, but for jitter.
fn about(wait: Duration, exact: Duration) -> bool {
    wait >= exact.mul_f64(0.79) && wait <= exact.mul_f64(1.21)
}

/// Lets time go by.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn each_source_has_its_pace_and_its_counts() {
    let world = World::new();
    world.add(own(), 2, 0);
    world.add(group(1), 60, 1);
    world.run();
    let (polls, other) = (world.sources.polls(own()), world.sources.polls(group(1)));
    polls.first().await;
    assert_eq!(world.now(), Duration::ZERO);
    other.first().await;
    assert_eq!(world.now(), seconds(1), "each has a first round of its own");
    pass(seconds(600)).await;
    assert!(world.gaps(own()).iter().all(|gap| about(*gap, seconds(2))), "{:?}", world.gaps(own()));
    assert!(world.gaps(own()).len() >= 240);
    let gaps = world.gaps(group(1));
    assert!(gaps.len() >= 8 && gaps.iter().all(|gap| about(*gap - seconds(1), seconds(60))), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_carried_out_in_its_order() {
    let world = World::new();
    world.add(own(), 100, 1);
    world.with(own(), |script| script.pages = 2);
    world.run();
    world.sources.polls(own()).first().await;
    let told: Vec<String> = world.told.lock().unwrap().iter().map(|event| format!("{event:?}")).collect();
    let parts = [2, 3, 4, 5].map(|part| format!("Problem(\"{part}\")"));
    assert_eq!(told, parts.into_iter().chain(["Synced".to_owned()]).collect::<Vec<_>>());
    assert_eq!(world.now(), seconds(2));
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_ever_later_and_an_answer_ends_that() {
    let world = World::new();
    world.add(own(), 2, 0);
    world.with(own(), |script| script.outcomes = vec![Outcome::Silence; 6]);
    world.run();
    world.sources.polls(own()).first().await;
    pass(seconds(3)).await;
    let expected = [4, 8, 15, 15, 15, 15, 2].map(seconds);
    let gaps = world.gaps(own());
    assert!(gaps.iter().zip(expected).all(|(gap, exact)| about(*gap, exact)) && gaps.len() >= 7, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn who_rings_waits_for_a_round_that_begins_after_that() {
    let world = World::new();
    world.add(own(), 100, 5);
    world.run();
    let polls = world.sources.polls(own());
    pass(seconds(1)).await;
    polls.next().await;
    assert_eq!(world.began(own()), [Duration::ZERO, seconds(5)]);
    assert_eq!(world.now(), seconds(10));
    // At rest it is asked at once.
    pass(seconds(1)).await;
    polls.next().await;
    assert_eq!(world.began(own()).last(), Some(&seconds(11)));
    // A bell is for one source.
    world.add(group(1), 100, 0);
    world.sources.polls(group(1)).first().await;
    world.sources.polls(group(1)).next().await;
    assert_eq!((world.began(group(1)).len(), world.began(own()).len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_back_ends_all_waits_but_costs_no_round_that_was_answered() {
    let world = World::new();
    for (key, outcomes) in [(own(), vec![]), (group(1), vec![Outcome::Silence]), (group(2), vec![])] {
        world.add(key, 100, 5);
        world.with(key, |script| script.outcomes = outcomes);
    }
    world.add(group(3), 100, 0);
    world.run();
    pass(seconds(3)).await;
    world.sources.wake_all();
    pass(seconds(60)).await;
    assert_eq!(world.began(own()), [seconds(0)], "what was under way was answered after that");
    assert_eq!(world.began(group(1)), [seconds(0), seconds(5)], "what was under way failed");
    assert_eq!(world.began(group(3)), [seconds(0), seconds(3)], "it waited for its time");
}

#[tokio::test(start_paused = true)]
async fn few_are_asked_at_once_and_our_own_swarm_waits_for_none() {
    let world = World::new();
    world.add(own(), 2, 0);
    for number in 0..50 {
        world.add(group(number), 60, 3);
    }
    world.run();
    // Four at a time, three seconds each.
    pass(seconds(40)).await;
    assert!((0..50).all(|number| world.began(group(number)).len() == 1));
    pass(seconds(600)).await;
    assert_eq!(world.most_at_once.load(Ordering::SeqCst), 4);
    assert!(world.gaps(own()).iter().all(|gap| about(*gap, seconds(2))), "{:?}", world.gaps(own()));
}

#[tokio::test(start_paused = true)]
async fn fifty_lively_groups_share_four_rounds_a_second() {
    let world = World::new();
    for number in 0..50 {
        world.add(group(number), 0, 0);
        let pace = pace::chat(Duration::ZERO);
        world.with(group(number), |script| script.pace = pace);
    }
    world.run();
    pass(seconds(600)).await;
    let rounds: Vec<usize> = (0..50).map(|number| world.began(group(number)).len()).collect();
    let all: usize = rounds.iter().sum();
    assert!((2300..=2461).contains(&all), "{all}");
    // All get their share: one round in about 12.5 s.
    assert!(rounds.iter().all(|count| (40..=56).contains(count)), "{rounds:?}");
}

#[tokio::test(start_paused = true)]
async fn sources_come_and_go() {
    let world = World::new();
    world.add(own(), 100, 0);
    world.run();
    pass(seconds(1)).await;
    world.add(group(1), 10, 5);
    pass(seconds(2)).await;
    world.sources.change(Change::Gone(group(1)));
    pass(seconds(1)).await;
    assert_eq!(world.with(group(1), |script| (script.under_way, script.completed)), (0, 0), "broken off");
    pass(seconds(100)).await;
    assert_eq!(world.began(group(1)).len(), 1, "asked no more");
    // It comes back, and goes and comes again while it is asked.
    world.sources.change(Change::Appeared(group(1)));
    pass(seconds(2)).await;
    world.sources.change(Change::Gone(group(1)));
    world.sources.change(Change::Appeared(group(1)));
    world.sources.change(Change::Appeared(group(1)));
    pass(seconds(6)).await;
    assert_eq!(world.with(group(1), |script| (script.began.len(), script.completed)), (3, 1));
    // One that waits for its time is just gone.
    world.sources.change(Change::Gone(group(1)));
    pass(seconds(100)).await;
    assert_eq!(world.began(group(1)).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_breaks_off_what_is_under_way() {
    let world = World::new();
    world.add(own(), 2, 100);
    world.add(group(1), 2, 100);
    let running = world.run();
    pass(seconds(1)).await;
    world.cancel.cancel();
    running.await.unwrap();
    assert_eq!(world.now(), seconds(1));
    assert!([own(), group(1)].iter().all(|key| world.with(*key, |script| script.under_way == 0)));
}

#[tokio::test(start_paused = true)]
async fn that_nothing_can_be_stored_is_told_once() {
    let world = World::new();
    let full =
        vec![Outcome::FullDisk, Outcome::Silence, Outcome::FullDisk, Outcome::Answer, Outcome::FullDisk];
    world.add(own(), 2, 0);
    world.with(own(), |script| script.outcomes = full);
    world.run();
    world.sources.polls(own()).first().await;
    assert_eq!(world.problems("cannot be stored"), 1);
    pass(seconds(5)).await;
    assert_eq!(world.problems("cannot be stored"), 2, "it was mended in between");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_made_is_not_asked() {
    let sources = Arc::new(Sources::default());
    sources.change(Change::Appeared(group(1)));
    let (asked, cancel) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
    let (theirs, count, end) = (Arc::clone(&sources), Arc::clone(&asked), cancel.clone());
    let running = tokio::spawn(async move {
        let make = |_| {
            count.fetch_add(1, Ordering::SeqCst);
            None
        };
        theirs.run(own(), make, &|_| (), &end).await;
    });
    pass(seconds(600)).await;
    sources.wake_all();
    pass(seconds(600)).await;
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
