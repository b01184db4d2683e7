//! How fast the protocol is, on one core.
//!
//! Counts **processor time**, not wall-clock time, so that a busy machine changes little: for each operation three
//! warm-up calls, then calls for at least 0.7 s of processor time; three rounds, of which the best and the worst are
//! shown. `cargo bench -p septet-protocol -- WORD` runs only operations whose name contains the word.

mod config;
mod measure;
mod messages;
mod onion;
mod primitives;

use measure::Bench;

fn main() {
    let bench = Bench::from_arguments();
    messages::run(&bench);
    primitives::run(&bench);
    onion::run(&bench);
    config::run(&bench);
}
