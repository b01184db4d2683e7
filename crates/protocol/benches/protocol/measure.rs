//! Measuring and printing.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(700);
const WARM_UP: usize = 3;

/// Which operations to run.
pub struct Bench {
    only: Option<String>,
}

impl Bench {
    /// The first argument that is not an option is a word to look for in names.
    pub fn from_arguments() -> Self {
        Self { only: std::env::args().skip(1).find(|argument| !argument.starts_with('-')) }
    }

    /// Prints the head of a table.
    pub fn section(&self, title: &str) {
        println!("\n{title}");
        println!("{:58} {:>14} {:>14} {:>12}", "operation", "best, per CPU s", "worst round", "time, best");
    }

    /// Measures one operation and prints its line.
    pub fn run<T>(&self, name: &str, mut operation: impl FnMut() -> T) {
        if self.only.as_ref().is_some_and(|word| !name.contains(word.as_str())) {
            return;
        }
        let rates: Vec<f64> = (0..ROUNDS).map(|_| round(&mut operation)).collect();
        let best = rates.iter().copied().fold(0.0, f64::max);
        let worst = rates.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{name:58} {best:>14.1} {worst:>14.1} {:>9.2} µs", 1e6 / best);
    }
}

/// Calls per second of processor time.
fn round<T>(operation: &mut impl FnMut() -> T) -> f64 {
    for _ in 0..WARM_UP {
        black_box(operation());
    }
    let (start, mut calls) = (Clock::start(), 0u32);
    loop {
        // Asking for the time costs more than the quickest operations: ask only now and then.
        let some = (calls / 8).clamp(1, 4096);
        for _ in 0..some {
            black_box(operation());
        }
        calls += some;
        let passed = start.passed();
        if passed >= ROUND {
            return f64::from(calls) / passed.as_secs_f64();
        }
    }
}

/// Processor time of this thread where the system tells it (Linux), else wall-clock time.
struct Clock {
    processor: Option<u64>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { processor: processor_ns(), wall: Instant::now() }
    }

    fn passed(&self) -> Duration {
        match (self.processor, processor_ns()) {
            (Some(start), Some(now)) => Duration::from_nanos(now - start),
            _ => self.wall.elapsed(),
        }
    }
}

fn processor_ns() -> Option<u64> {
    // Giving up the processor makes the kernel bring the count up to date.
    std::thread::yield_now();
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Bytes that look random: position times 131 plus position divided by 256.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 131 + at / 256) as u8).collect()
}
