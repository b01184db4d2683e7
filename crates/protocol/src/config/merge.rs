//! Bringing together what several devices made of a document at the same time (spec 05 §4).
//!
//! All known messages go in; out comes either one of them, which contains all others, or a new one. Whoever merges
//! the same messages gets the same bytes, so nothing here may depend on the order in which they arrived.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::message::{Draft, LAG, Lagged, Message, Rank};
use super::value::Dict;

/// What a merge comes to.
pub(super) enum Outcome {
    /// The message at this index contains everything.
    Single(usize),
    /// Conflicting messages, combined. The original is not set: it depends on the state in which we merge.
    Combined(Draft),
}

/// Merges `messages`, none of which may be the pristine document. Of identical ones the first counts.
/// A device that `can_write` combines conflicting ones; another takes the highest. `None` if there are none.
pub(super) fn merge(messages: &[&Message], can_write: bool) -> Option<Outcome> {
    if let [_] = messages {
        return Some(Outcome::Single(0));
    }
    let newest = messages.iter().map(|message| message.seqno).max()?;
    let mut keep = not_redundant(messages, newest);
    keep.sort_by_key(|&(_, rank)| std::cmp::Reverse(rank));
    match keep.as_slice() {
        [] => None,
        [(index, _)] => Some(Outcome::Single(*index)),
        [(index, _), ..] if !can_write => Some(Outcome::Single(*index)),
        _ => {
            let ranked: Vec<_> = keep
                .iter()
                .filter_map(|&(index, rank)| messages.get(index).map(|&message| (rank, message)))
                .collect();
            Some(Outcome::Combined(combine(&ranked, newest)))
        }
    }
}

/// The indices and ranks of the messages that are not contained in another one, nor repeated, nor too old.
fn not_redundant(messages: &[&Message], newest: i64) -> Vec<(usize, Rank)> {
    let mut seen: HashSet<Rank> =
        messages.iter().flat_map(|message| message.lagged.iter().map(|entry| entry.rank)).collect();
    messages
        .iter()
        .enumerate()
        .map(|(index, message)| (index, message.rank()))
        .filter(|&(_, rank)| seen.insert(rank) && rank.0.saturating_add(LAG) > newest)
        .collect()
}

/// Replays the changes of all `messages`, which are sorted by rank, highest first.
fn combine(messages: &[(Rank, &Message)], newest: i64) -> Draft {
    let mut changes: BTreeMap<Rank, (Change<'_>, &Dict)> = BTreeMap::new();
    for (rank, message) in messages {
        changes.entry(*rank).or_insert((Change::Own(message), &message.data));
        for entry in &message.lagged {
            changes.entry(entry.rank).or_insert((Change::Lagged(&entry.diff), &message.data));
        }
    }
    let mut data = messages.first().map(|(_, message)| message.data.clone()).unwrap_or_default();
    let mut lagged = Vec::with_capacity(changes.len());
    for (rank, (change, source)) in changes {
        // Every diff was checked when its message was read, so this cannot fail half way.
        let _checked = super::diff::apply(&mut data, change.bytes(), source);
        lagged.push(Lagged { rank, diff: change.into_shared() });
    }
    data.prune();
    let size_hint = messages.iter().map(|(_, message)| message.bytes().len()).max().unwrap_or_default();
    Draft {
        seqno: newest.saturating_add(1),
        original: Dict::default(),
        data,
        lagged,
        unknown: Vec::new(),
        size_hint,
    }
}

/// A change: the one a message made, or one it carries on.
enum Change<'a> {
    Own(&'a Message),
    Lagged(&'a Arc<[u8]>),
}

impl Change<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(message) => message.diff(),
            Self::Lagged(diff) => diff,
        }
    }

    fn into_shared(self) -> Arc<[u8]> {
        match self {
            Self::Own(message) => message.diff().into(),
            Self::Lagged(diff) => Arc::clone(diff),
        }
    }
}
