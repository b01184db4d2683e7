//! What was computed from a public key and is the same every time, kept for those we hear from often.
//!
//! Decision: strangers must not be able to make it useless. A key stands in one of a few places of one of many sets,
//! which one is secret, and every use counts. Who is new takes the place of who was used least in its set, but only
//! when that count has run down to zero: until then each newcomer only takes one off it, and is not kept. So whoever
//! writes once is displaced by the next who writes once, and to displace a contact who wrote a hundred messages a
//! flood has to fill the rest of its set with keys used as often, and then write a hundred messages that fall into
//! this set of 256. A message that displaces nobody costs what it cost before there was a cache.
//!
//! A lock is held for a comparison of four keys, and the sets have one each: threads that decode side by side do not
//! wait for each other.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PLACES: usize = 4;
/// Uses are counted up to here, so that even who wrote a lot long ago has to go at last.
const MOST_USES: u16 = 1000;

/// Values by public key.
pub(super) struct Cache<V> {
    sets: Box<[Mutex<Vec<Place<V>>>]>,
    secret: RandomState,
}

struct Place<V> {
    key: [u8; 32],
    value: V,
    uses: u16,
}

impl<V: Clone> Cache<V> {
    /// With nothing in it, and room for four values in each of so many sets; takes memory as it fills.
    pub(super) fn new(sets: usize) -> Self {
        Self { sets: (0..sets).map(|_| Mutex::new(Vec::new())).collect(), secret: RandomState::new() }
    }

    /// What is kept for this key; counts as a use.
    pub(super) fn get(&self, key: &[u8; 32]) -> Option<V> {
        let mut set = self.set(key)?;
        let place = set.iter_mut().find(|place| place.key == *key)?;
        place.uses = (place.uses + 1).min(MOST_USES);
        Some(place.value.clone())
    }

    /// Keeps a value, if there is a place for it. Whoever calls has looked for it in vain.
    pub(super) fn put(&self, key: &[u8; 32], value: V) {
        let Some(mut set) = self.set(key) else { return };
        let new = Place { key: *key, value, uses: 0 };
        // Another thread may have been quicker.
        if set.iter().any(|place| place.key == *key) {
            return;
        }
        if set.len() < PLACES {
            return set.push(new);
        }
        let Some(least) = set.iter_mut().min_by_key(|place| place.uses) else { return };
        match least.uses.checked_sub(1) {
            Some(fewer) => least.uses = fewer,
            None => *least = new,
        }
    }

    fn set(&self, key: &[u8; 32]) -> Option<MutexGuard<'_, Vec<Place<V>>>> {
        let number = self.secret.hash_one(key) as usize % self.sets.len().max(1);
        // What panicked meanwhile has at most not counted a use.
        Some(self.sets.get(number)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: usize = 256;

    fn key(number: u32) -> [u8; 32] {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        key
    }

    fn len(cache: &Cache<u32>) -> usize {
        cache.sets.iter().map(|set| set.lock().unwrap().len()).sum()
    }

    #[test]
    fn what_is_kept_comes_back_and_only_under_its_key() {
        let cache = Cache::new(SETS);
        assert_eq!(cache.get(&key(1)), None);
        cache.put(&key(1), 10);
        cache.put(&key(1), 11);
        assert_eq!((cache.get(&key(1)), cache.get(&key(2))), (Some(10), None));
    }

    /// A hundred contacts with a few dozen messages each, then a flood of a hundred thousand strangers, of whom each
    /// writes twice.
    #[test]
    fn a_flood_of_strangers_displaces_no_contact() {
        let cache = Cache::new(SETS);
        for contact in 0..100 {
            cache.put(&key(contact), contact);
            // At random more than four of them may share a set: those have to come by their place as well.
            (0..50).for_each(|_| {
                if cache.get(&key(contact)).is_none() {
                    cache.put(&key(contact), contact)
                }
            });
        }
        let kept: Vec<u32> = (0..100).filter(|contact| cache.get(&key(*contact)).is_some()).collect();
        assert!(kept.len() >= 95, "{}", kept.len());
        for stranger in 1000..101_000 {
            cache.put(&key(stranger), stranger);
            let _ = cache.get(&key(stranger));
        }
        let lost = kept.iter().filter(|contact| cache.get(&key(**contact)).is_none()).count();
        // A set of four contacts has no place for strangers, and they wear it down.
        assert!(lost <= 8, "{lost} of {} are lost", kept.len());
        assert!(len(&cache) <= SETS * PLACES);
    }

    #[test]
    fn who_falls_silent_makes_room_for_who_writes() {
        let cache = Cache::new(SETS);
        for old in 0..12_000 {
            cache.put(&key(old), old);
            for _ in 0..3 {
                let _ = cache.get(&key(old));
            }
        }
        assert_eq!(len(&cache), SETS * PLACES);
        let tries = (1..).find(|_| {
            cache.put(&key(50_000), 1);
            cache.get(&key(50_000)).is_some()
        });
        assert!(tries.is_some_and(|tries| tries <= 17), "{tries:?}");
    }
}
