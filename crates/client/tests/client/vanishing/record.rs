//! What was sent, what devices show of it, and what is wrong with that.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use septet_client::model::Message;

/// Every text begins with these letters, which stand together nowhere else.
pub const MARK: &str = "wqjxkvz";
/// What is shown may be late by so much, in ms.
pub const LATE: u64 = 1000;
/// The clocks of devices are to be right to so many ms: replies of a busy machine come late.
pub const CLOCKS: u64 = 1500;

/// A message on its way to disappear.
#[derive(Clone, Copy)]
pub struct Sent {
    pub by_alice: bool,
    /// Whether it counts from when it is read, not from when it was sent.
    pub after_read: bool,
    /// When it was read first, in ms of the network's time, or a little before that.
    pub start: Option<u64>,
    /// How long it is shown, in ms.
    pub length: u64,
}

/// What one device has shown of a message.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// When its countdown began, where that does not depend on reading.
    start: Option<u64>,
    /// When it is to end, as it said last.
    end: Option<u64>,
    gone: bool,
}

/// What was sent, what was shown, and what was wrong.
#[derive(Default)]
pub struct Record {
    sent: BTreeMap<usize, Sent>,
    seen: BTreeMap<(&'static str, usize), Seen>,
    /// How far the clock of a device was from the network's at most, in ms.
    skew: u64,
    wrong: Vec<String>,
    looks: usize,
    /// How often a device was looked at that could not know what time it is.
    pub unknowing: usize,
}

impl Record {
    /// Somebody is about to write, and has read what stands above.
    pub fn writes(&mut self, by_alice: bool, now: u64) {
        let above = self.sent.keys().copied().collect();
        self.reads(by_alice, &above, now);
    }

    /// It is about to be sent.
    pub fn sends(&mut self, number: usize, sent: Sent) {
        self.sent.insert(number, sent);
    }

    /// Whether a device has shown all of these.
    pub fn has_seen(&self, device: &'static str, mut numbers: Range<usize>) -> bool {
        numbers.all(|number| self.seen.contains_key(&(device, number)))
    }

    /// Somebody is about to read what is here of the other; from then on it counts.
    pub fn reads(&mut self, by_alice: bool, numbers: &BTreeSet<usize>, now: u64) {
        for number in numbers {
            let sent = self.sent.get_mut(number).unwrap();
            if sent.after_read && sent.by_alice != by_alice {
                sent.start.get_or_insert(now);
            }
        }
    }

    /// When the last of what a device has shown ends.
    pub fn last_end(&self, device: &str) -> Option<u64> {
        self.seen.iter().filter(|((of, _), _)| *of == device).filter_map(|(_, seen)| seen.end).max()
    }

    /// By how many ms the devices that read the same message disagree at most about its end.
    pub fn differ(&self) -> Option<u64> {
        let end = |device, number| self.seen.get(&(device, number)).and_then(|seen| seen.end);
        let of = |number: &usize| Some(end("phone", *number)?.abs_diff(end("laptop", *number)?));
        let both = self.sent.iter().filter(|(_, sent)| sent.by_alice);
        both.filter_map(|(number, _)| of(number)).max()
    }

    /// A device that cannot know what time it is was asked for its messages, at this moment.
    pub fn look_unknowing(&mut self, device: &'static str, before: u64, shown: &[Message]) {
        self.unknowing += 1;
        let shown = shown.iter().filter(|message| message.text.starts_with(MARK));
        for (message, end) in shown.filter_map(|message| Some((message, message.expires_at?.as_ms()))) {
            // It may hide too much, and then nothing is missing as soon as it knows the time.
            if before > end + LATE {
                self.wrong.push(format!("{device}: {} is shown {} ms late", message.text, before - end));
            }
        }
    }

    /// A device was asked for its messages between two moments, with a clock that is so far from the network's.
    pub fn look(&mut self, device: &'static str, between: [u64; 2], skew: u64, shown: &[Message]) {
        let [before, after] = between;
        // What began by a clock that was off ends by it, though the clock is right by then.
        let skew = self.skew.max(skew);
        self.skew = skew;
        self.looks += 1;
        let mut here = BTreeSet::new();
        for message in shown.iter().filter(|message| message.text.starts_with(MARK)) {
            let number: usize = message.text[MARK.len()..].parse().unwrap();
            here.insert(number);
            let seen = self.seen.entry((device, number)).or_default();
            if seen.gone {
                self.wrong.push(format!("{device}: {number} came back"));
            }
            let sent = self.sent[&number];
            if message.outgoing || !sent.after_read {
                seen.start = Some(message.timestamp.as_ms());
            }
            if let Some(end) = message.expires_at.map(|at| at.as_ms()) {
                seen.end = Some(end);
                let Some(start) = seen.start.or(sent.start) else {
                    self.wrong.push(format!("{device}: {number} counts and was not read"));
                    continue;
                };
                if end + skew < start + sent.length {
                    let early = start + sent.length - end;
                    self.wrong.push(format!("{device}: {number} is to end {early} ms early"));
                }
                let latest = match sent.after_read || message.outgoing {
                    true => after,
                    false => message.timestamp.as_ms(),
                };
                if end > latest + sent.length + skew {
                    let late = end - latest - sent.length;
                    self.wrong.push(format!("{device}: {number} is to end {late} ms late"));
                }
                if before > end + LATE + skew {
                    self.wrong.push(format!("{device}: {number} is shown {} ms late", before - end));
                }
            }
        }
        for ((_, number), seen) in self.seen.iter_mut().filter(|((of, _), _)| *of == device) {
            if seen.gone || here.contains(number) {
                continue;
            }
            seen.gone = true;
            let sent = self.sent[number];
            match seen.start.or(sent.start) {
                None => self.wrong.push(format!("{device}: {number} is gone and was not read")),
                Some(start) if after + skew < start + sent.length => {
                    let early = start + sent.length - after;
                    self.wrong.push(format!("{device}: {number} is gone {early} ms early"));
                }
                Some(_) => {}
            }
        }
    }

    /// Everything was as it is to be, on devices that have shown a good part of so many messages.
    pub fn is_right(&self, name: &str, count: usize) {
        let shown = |device| self.seen.keys().filter(|(of, _)| *of == device).count();
        let shown = ["alice", "phone", "laptop"].map(|device| (device, shown(device)));
        println!("{name}: of {} messages {shown:?} shown, {} looks", self.sent.len(), self.looks);
        println!("{name}: {} looks without knowing the time", self.unknowing);
        println!("{name}: ends differ by {:?} ms at most, clocks by {} ms", self.differ(), self.skew);
        assert_eq!(self.wrong, Vec::<String>::new(), "{name}");
        assert!(self.skew < CLOCKS, "{name}");
        assert!(shown.iter().all(|(_, shown)| shown * 4 > count), "{name}: {shown:?}");
    }
}

/// The numbers of what is shown.
pub fn numbers(shown: &[Message]) -> BTreeSet<usize> {
    shown.iter().filter_map(|message| message.text.strip_prefix(MARK)?.parse().ok()).collect()
}
