//! Sources that only note when they are asked, in a time that moves on by itself.

use septet_network::NetworkError;
use septet_protocol::id::{Account, GroupId, SessionId};

use super::*;
use crate::engine::sources::Source;
use crate::model::ConversationId;
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
    /// Rounds under way: of this source, and whether it was ever two.
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

    /// Waits until so many rounds of a source have begun; returns when the last of them did.
    async fn until_begun(&self, key: SourceKey, rounds: usize) -> Duration {
        loop {
            if let Some(at) = rounds.checked_sub(1).and_then(|it| self.began(key).get(it).copied()) {
                return at;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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

    fn completed(&mut self) -> Effects {
        self.world.with(self.key, |script| script.completed += 1);
        Effects { events: vec![Event::Synced], ..Effects::default() }
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
