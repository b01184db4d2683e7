//! Keeps what was made with effort as long as it is used: a map of limited size that forgets what was not asked for
//! longest.

use std::collections::HashMap;
use std::hash::Hash;

/// A map that holds at most `MOST` values.
///
/// When it is full, the quarter that was not used longest goes at once, so that forgetting costs little per value.
pub struct Lru<K, V, const MOST: usize> {
    entries: HashMap<K, (V, u64)>,
    clock: u64,
}

impl<K, V, const MOST: usize> Default for Lru<K, V, MOST> {
    fn default() -> Self {
        Self { entries: HashMap::new(), clock: 0 }
    }
}

impl<K: Clone + Eq + Hash, V, const MOST: usize> Lru<K, V, MOST> {
    /// The value of this key, made if it is not here.
    pub fn get_or_make(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.clock += 1;
        if !self.entries.contains_key(&key) && self.entries.len() >= MOST {
            self.shrink();
        }
        let clock = self.clock;
        let (value, used) = self.entries.entry(key).or_insert_with(|| (make(), clock));
        *used = clock;
        value
    }

    /// The value of this key, without counting as use.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }

    /// Forgets one value.
    pub fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn shrink(&mut self) {
        let mut used: Vec<u64> = self.entries.values().map(|(_, used)| *used).collect();
        used.sort_unstable();
        let quarter = (MOST / 4).max(1);
        if let Some(limit) = used.get(quarter - 1).copied() {
            self.entries.retain(|_, (_, used)| *used > limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut cache = Lru::<_, _, 8>::default();
        for round in 0..100_u32 {
            assert_eq!(*cache.get_or_make(0, || 7), 7);
            cache.get_or_make(round + 1, || round);
            assert!(cache.len() <= 8);
        }
        assert!(cache.peek(&0).is_some() && cache.peek(&100).is_some() && cache.peek(&1).is_none());
    }

    #[test]
    fn a_value_is_made_once() {
        let mut cache = Lru::<_, _, 2>::default();
        let mut made = 0;
        for _ in 0..3 {
            cache.get_or_make("a", || made += 1);
        }
        assert_eq!(made, 1);
        cache.remove(&"a");
        assert!(cache.is_empty());
    }
}
