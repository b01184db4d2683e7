//! The machine underneath: its clocks, and whether it has just slept.
//!
//! Two times are told apart. [`MachineClock::wall`] is what the person's clock shows; it may be wrong by years and jump. [`steady`]
//! only ever goes forward, at the same pace whatever somebody sets the clock to, and goes on while the machine sleeps;
//! everything that measures how long something took uses it. Tokio's timers stand still during a sleep and are only used
//! to be woken up.
//!
//! Decision: a sleep is noticed, not announced. There is no common way to be told of one, a virtual machine that is
//! halted or a stopped process are told nothing at all, and what follows is the same for each: connections of before are
//! dead, and time limits that ran out meanwhile say nothing about whom we waited for. [`Watch`] compares clocks every
//! few seconds and, for nothing, whenever something else is about to be done.
//!
//! The person's clock is read in one place, [`MachineClock`], so that a test can have several clients in one process of
//! which one believes in a machine whose clock is hours off.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use septet_protocol::time::Timestamp;
use tokio::sync::watch;

/// How often the clocks are compared while nothing else happens. Each look wakes the processor once; timers stand still
/// during a suspend, so this is how long after waking a sleep may go unnoticed.
const LOOK: Duration = Duration::from_secs(2);
/// A timer that is later than this was held up by more than a busy machine.
const SLEPT: Duration = Duration::from_secs(5);

/// The process's own beginning, in case that the system has no better clock.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Time since some fixed moment (on Linux the machine's start), sleep included. Never jumps when the clock is set.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn steady() -> Duration {
    from_system(rustix::time::ClockId::Boottime)
}

/// Time since some fixed moment, sleep included. Never jumps when the clock is set.
#[cfg(target_vendor = "apple")]
pub(crate) fn steady() -> Duration {
    from_system(rustix::time::ClockId::Monotonic)
}

/// Time since some fixed moment; whether it counts sleep is the system's choice. Never jumps when the clock is set.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn steady() -> Duration {
    BEGAN.elapsed()
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn from_system(clock: rustix::time::ClockId) -> Duration {
    let now = rustix::time::clock_gettime(clock);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// What the clock of the machine shows, and which run of the machine it is.
///
/// [`MachineClock::default`] is the real one, and the only one outside of tests: for them others can be made up, whose
/// clock is wrong or which have been started anew. Only [`steady`] is the same for all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MachineClock {
    /// By how many ms it is ahead of the real one.
    ahead: i64,
    /// What this run of the machine is called, if not as the system says.
    boot: Option<String>,
}

impl MachineClock {
    /// For tests: a clock that is so many ms ahead of the real one, or behind it if that is negative.
    pub fn ahead_by(ms: i64) -> Self {
        Self { ahead: ms, ..Self::default() }
    }

    /// For tests: the same in another run of the machine, which has this name. What was proven in one run is not in
    /// another.
    pub fn started_anew(self, name: &str) -> Self {
        Self { boot: Some(name.to_owned()), ..self }
    }

    /// What it shows: whatever the person has set it to. Never to be taken for the network's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.wall().max(0).cast_unsigned())
    }

    /// The same as Unix ms to reckon with.
    pub(crate) fn wall(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(self.ahead)
    }

    /// What distinguishes this run of the machine from every other: as long as it is the same, [`steady`] counts from
    /// the same moment. `None` where the system does not tell.
    pub(crate) fn boot(&self) -> Option<String> {
        self.boot.clone().or_else(|| {
            let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            Some(id.trim().to_owned()).filter(|id| !id.is_empty())
        })
    }
}

/// Sleeps; `false` if the machine slept too, so that how long it took means nothing.
pub(crate) async fn sleep(length: Duration) -> bool {
    let began = steady();
    tokio::time::sleep(length).await;
    steady().saturating_sub(began) < length + SLEPT
}

/// Notices that the machine has slept, or that the process was stopped, for more than about five seconds.
#[derive(Debug)]
pub(crate) struct Watch {
    /// By when, on the steady clock in ms, the next look is due; `u64::MAX` while nobody looks regularly.
    due: AtomicU64,
    /// By how many ms the steady clock was ahead of the one that stands still during sleep.
    ahead: AtomicI64,
    /// How often the machine has slept.
    slept: watch::Sender<u64>,
}

impl Default for Watch {
    fn default() -> Self {
        let (due, slept) = (AtomicU64::new(u64::MAX), watch::Sender::default());
        Self { due, ahead: AtomicI64::new(ahead()), slept }
    }
}

impl Watch {
    /// Looks now, which costs next to nothing: whether the machine has slept since anybody looked last.
    pub fn check(&self) -> bool {
        self.check_at(milliseconds(steady()), ahead())
    }

    fn check_at(&self, now: u64, ahead: i64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        let limit = milliseconds(SLEPT);
        let overdue = now.saturating_sub(due) > limit;
        if !overdue && ahead.saturating_sub(before) <= limit.cast_signed() {
            return false;
        }
        if overdue {
            self.due.store(now + milliseconds(LOOK), Ordering::Relaxed);
        }
        self.slept.send_modify(|times| *times += 1);
        true
    }

    /// How often the machine has slept; whoever waits for a change is woken when it wakes.
    pub fn slept(&self) -> watch::Receiver<u64> {
        self.slept.subscribe()
    }

    /// Looks every two seconds, for ever. Needed once; without it only suspends are noticed, no stopped process.
    pub async fn run(&self) {
        let _stop = OnDrop(|| self.due.store(u64::MAX, Ordering::Relaxed));
        loop {
            self.due.store(milliseconds(steady() + LOOK), Ordering::Relaxed);
            tokio::time::sleep(LOOK).await;
            self.check();
        }
    }
}

/// By how many ms the steady clock is ahead of that which stands still during sleep.
fn ahead() -> i64 {
    let difference = |a: Duration, b: Duration| milliseconds(a).cast_signed() - milliseconds(b).cast_signed();
    difference(steady(), BEGAN.elapsed())
}

/// As the atomics keep it.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Does something when it goes out of scope, also when a task is aborted.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_clock_goes_forward() {
        let before = steady();
        while steady() == before {}
        assert!(steady() > before);
    }

    #[test]
    fn a_clock_is_as_wrong_as_it_is_made_and_knows_its_run() {
        let real = MachineClock::default();
        assert!(real.wall() > 1_700_000_000_000);
        assert_eq!(real.boot(), real.boot());
        let wrong = MachineClock::ahead_by(-3_600_000);
        assert!((wrong.wall() - real.wall()).abs_diff(-3_600_000) < 60_000);
        assert_eq!(wrong.boot(), real.boot());
        assert_eq!(wrong.started_anew("two").boot().as_deref(), Some("two"));
        assert_eq!(MachineClock::ahead_by(i64::MIN).now(), Timestamp::from_ms(0));
    }

    #[test]
    fn a_sleep_is_noticed_once_and_by_everybody() {
        let watch = Watch::default();
        watch.ahead.store(100, Ordering::Relaxed);
        let mut told = watch.slept();
        assert!(!watch.check_at(1_000_000, 100));
        assert!(!watch.check_at(1_000_000, 4_000), "a busy machine is no sleep");
        assert!(watch.check_at(2_000_000, 604_000));
        assert!(!watch.check_at(2_000_001, 604_001));
        assert!(told.has_changed().unwrap());
        assert_eq!(*told.borrow_and_update(), 1);
    }

    #[test]
    fn a_stopped_process_is_noticed_where_somebody_looks_regularly() {
        let watch = Watch::default();
        watch.ahead.store(0, Ordering::Relaxed);
        assert!(!watch.check_at(600_000, 0), "nobody has looked for ten minutes, and nobody was to");
        watch.due.store(605_000, Ordering::Relaxed);
        assert!(!watch.check_at(609_000, 0));
        assert!(watch.check_at(1_200_000, 0));
        assert!(!watch.check_at(1_200_001, 0));
    }

    #[tokio::test]
    async fn whoever_ends_the_regular_look_takes_its_word_back() {
        let watch = std::sync::Arc::new(Watch::default());
        let looking = watch.clone();
        let task = tokio::spawn(async move { looking.run().await });
        while watch.due.load(Ordering::Relaxed) == u64::MAX {
            tokio::task::yield_now().await;
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(watch.due.load(Ordering::Relaxed), u64::MAX);
    }
}
