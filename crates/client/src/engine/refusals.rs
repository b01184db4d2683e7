//! What the network would not take for good, for whoever waits for something of their own to be delivered.
//!
//! A message that was refused says so itself. A reaction, a request to delete or a config document cannot: of those the
//! newest refusals are kept, each with the job it concerns.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::store::JobId;

/// So many are kept.
const KEPT: usize = 256;

/// The newest refusals.
#[derive(Default)]
pub struct Refusals(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// How many there were ever.
    count: u64,
    newest: VecDeque<Refusal>,
}

struct Refusal {
    number: u64,
    /// `None`: a config document.
    job: Option<JobId>,
    reason: String,
}

impl Refusals {
    /// Something was refused.
    pub fn note(&self, job: Option<JobId>, reason: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        let number = kept.count;
        kept.newest.push_back(Refusal { number, job, reason: reason.to_owned() });
        if kept.newest.len() > KEPT {
            kept.newest.pop_front();
        }
    }

    /// How many there were so far.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Why one of these jobs, after one number and up to another, was refused, or a document since there were `count`
    /// refusals.
    pub fn of(&self, count: u64, jobs: &[(JobId, JobId)]) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |job: JobId| jobs.iter().any(|(from, to)| job > *from && job <= *to);
        let concerns = |it: &&Refusal| it.number > count && it.job.is_none_or(is_of);
        kept.newest.iter().find(concerns).map(|it| it.reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_hears_of_their_own_refusals() {
        let refusals = Refusals::default();
        refusals.note(Some(JobId(5)), "old");
        let mine = [(JobId(1), JobId(2)), (JobId(4), JobId(9))];
        let count = refusals.count();
        assert_eq!(refusals.of(count, &mine), None);
        refusals.note(Some(JobId(10)), "another's");
        assert_eq!(refusals.of(count, &mine), None);
        refusals.note(Some(JobId(9)), "mine");
        assert_eq!(refusals.of(count, &mine).as_deref(), Some("mine"));
        refusals.note(None, "a document");
        assert_eq!(refusals.of(refusals.count() - 1, &[]).as_deref(), Some("a document"));
    }
}
