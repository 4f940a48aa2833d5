//! The values that were asked for last, bounded by their bytes and by their number.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::Hash,
    mem,
};

use parking_lot::{Mutex, MutexGuard};

use super::traits::{CacheKey, Weigh};
use crate::shortage::Part;

/// Values that never change, by their keys, bounded by their bytes and by their number: for values that
/// take more than bytes, as open files do.
///
/// What was asked for longest ago goes first. A value that is larger than all the room is not kept.
pub struct LruCache<K, V> {
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    /// How many bytes there is room for, and how many are taken.
    room: u64,
    bytes: u64,
    /// How many values there may be.
    most: usize,
    values: HashMap<K, Entry<V>>,
    /// The keys by when their values were asked for: the first of them longest ago.
    order: BTreeMap<u64, K>,
    /// How often any was asked for.
    asked: u64,
}

struct Entry<V> {
    value: V,
    bytes: u64,
    /// Its place in the order.
    asked: u64,
}

impl<K, V> LruCache<K, V>
where
    K: CacheKey,
    V: Clone + Weigh,
{
    /// An empty one with room for so many bytes and so many values.
    #[must_use]
    pub fn new(bytes: u64, most: usize) -> Self {
        let kept = Kept {
            room: bytes,
            bytes: 0,
            most,
            values: HashMap::new(),
            order: BTreeMap::new(),
            asked: 0,
        };
        Self { kept: kept.into() }
    }

    /// Makes room for more bytes, or for fewer; for none at all it keeps nothing.
    pub fn resize(&self, bytes: u64) {
        let mut kept = self.lock();
        kept.room = bytes;
        let gone = kept.make_room(bytes, 0);
        release(kept, gone);
    }

    /// The value, if it is kept.
    pub fn get(&self, key: &K) -> Option<V> {
        self.lock().get(key)
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// How many bytes there is room for.
    pub fn room(&self) -> u64 {
        self.lock().room
    }

    /// Keeps a value, if there is room for it.
    pub fn put(&self, key: K, value: V) {
        self.put_within(u64::MAX, key, value);
    }

    /// Keeps a value, if there is room for it, and lets all take no more than so many bytes now.
    pub fn put_within(&self, most: u64, key: K, value: V) {
        let bytes = value.bytes();
        let mut kept = self.lock();
        let before = kept.remove(&key);
        let room = kept.room.min(most);
        let is_room = room > 0 && bytes <= room && kept.most > 0;
        let mut gone = Vec::new();
        if is_room && key.may_be_kept() {
            gone = kept.make_room(room - bytes, 1);
            kept.insert(key, value, bytes);
        } else if most < kept.room {
            gone = kept.make_room(most, 0);
        }
        gone.extend(before);
        release(kept, gone);
    }

    /// Drops the half that was used longest ago, or all. Returns whether there was any.
    pub fn let_go(&self, part: Part) -> bool {
        let mut kept = self.lock();
        let count = match part {
            Part::Half => kept.values.len().div_ceil(2),
            Part::All => kept.values.len(),
        };
        let gone = kept.oldest(count);
        release(kept, gone);
        count > 0
    }

    /// Keeps a value no longer, as when it turned out to be damaged.
    pub fn forget(&self, key: &K) {
        let mut kept = self.lock();
        let gone = kept.remove(key);
        release(kept, gone);
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock()
    }
}

/// Lets go of values after the lock: what they hold may take time to close.
fn release<T, G>(guard: G, gone: T) {
    drop(guard);
    drop(gone);
}

impl<K: Clone + Eq + Hash, V: Clone> Kept<K, V> {
    fn get(&mut self, key: &K) -> Option<V> {
        let found = self.values.get_mut(key)?;
        self.asked += 1;
        let before = mem::replace(&mut found.asked, self.asked);
        if let Some(key) = self.order.remove(&before) {
            self.order.insert(self.asked, key);
        }
        Some(found.value.clone())
    }

    fn insert(&mut self, key: K, value: V, bytes: u64) {
        self.asked += 1;
        let asked = self.asked;
        self.bytes += bytes;
        self.order.insert(asked, key.clone());
        let entry = Entry {
            value,
            bytes,
            asked,
        };
        self.values.insert(key, entry);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.values.remove(key)?;
        self.order.remove(&removed.asked);
        self.bytes -= removed.bytes;
        Some(removed.value)
    }

    /// What has to go so that no more than so many bytes are left, and room for so many values.
    fn make_room(&mut self, bytes: u64, values: usize) -> Vec<V> {
        let mut gone = Vec::new();
        while self.bytes > bytes || self.values.len() + values > self.most {
            let oldest = self.oldest(1);
            if oldest.is_empty() {
                break;
            }
            gone.extend(oldest);
        }
        gone
    }

    fn oldest(&mut self, count: usize) -> Vec<V> {
        let keys: Vec<K> = self.order.values().take(count).cloned().collect();
        let gone = keys.iter().filter_map(|key| self.remove(key));
        gone.collect()
    }
}

impl<K, V> fmt::Debug for LruCache<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LruCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    /// The key of what may not be kept.
    const CALLERS: u8 = 0;

    impl CacheKey for u8 {
        fn may_be_kept(&self) -> bool {
            *self != CALLERS
        }
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        let recent = LruCache::new(100, 10);
        recent.put(CALLERS, 1);
        assert_eq!((recent.get(&CALLERS), recent.bytes()), (None, 0));
    }

    fn keys_of(recent: &LruCache<u8, u64>) -> Vec<u8> {
        let kept = recent.lock();
        kept.order.values().copied().collect()
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let recent = LruCache::new(100, 10);
        for key in 1..=4 {
            recent.put(key, 25);
        }
        assert_eq!(recent.get(&1), Some(25));
        recent.put(5, 26);
        assert_eq!(keys_of(&recent), [4, 1, 5]);
        assert_eq!(recent.bytes(), 76);
    }

    #[test]
    fn there_are_never_more_than_there_may_be() {
        let recent = LruCache::new(100, 3);
        for key in 1..=5 {
            recent.put(key, 0);
            recent.get(&1);
        }
        assert_eq!(keys_of(&recent), [4, 5, 1]);
        let none = LruCache::new(100, 0);
        none.put(1, 1);
        assert_eq!(none.get(&1), None);
    }

    #[test]
    fn what_is_too_large_pushes_out_nothing() {
        let recent = LruCache::new(100, 10);
        recent.put(1, 100);
        recent.put(2, 101);
        assert_eq!(keys_of(&recent), [1]);
    }

    #[test]
    fn what_is_put_again_counts_once() {
        let recent = LruCache::new(100, 10);
        recent.put(1, 60);
        recent.put(2, 30);
        recent.put(1, 70);
        assert_eq!((keys_of(&recent), recent.bytes()), (vec![2, 1], 100));
    }

    #[test]
    fn less_room_is_less_at_once_and_none_keeps_nothing() {
        let recent = LruCache::new(100, 10);
        recent.put(1, 60);
        recent.put(2, 40);
        recent.resize(50);
        assert_eq!((keys_of(&recent), recent.bytes()), (vec![2], 40));
        recent.resize(0);
        recent.put(3, 0);
        assert_eq!((keys_of(&recent), recent.bytes()), (vec![], 0));
    }

    #[test]
    fn where_less_may_be_kept_now_the_oldest_goes() {
        let recent = LruCache::new(100, 10);
        for key in 1..=4 {
            recent.put(key, 20);
        }
        recent.put_within(50, 5, 20);
        assert_eq!((keys_of(&recent), recent.bytes()), (vec![4, 5], 40));
        recent.put_within(30, 6, 40);
        assert_eq!(keys_of(&recent), [5]);
        recent.put(7, 80);
        assert_eq!(keys_of(&recent), [5, 7]);
    }

    #[test]
    fn it_lets_go_of_the_older_half_until_nothing_is_left() {
        let recent = LruCache::new(100, 10);
        for key in 1..=5 {
            recent.put(key, 20);
        }
        assert!(recent.let_go(Part::Half));
        assert_eq!(keys_of(&recent), [4, 5]);
        assert!(recent.let_go(Part::Half) && recent.let_go(Part::Half));
        assert!(!recent.let_go(Part::Half) && !recent.let_go(Part::All));
        assert_eq!(recent.bytes(), 0);
    }

    #[test]
    fn what_is_forgotten_takes_no_room() {
        let recent = LruCache::new(100, 10);
        recent.put(1, 60);
        recent.forget(&1);
        recent.forget(&2);
        assert_eq!((recent.get(&1), recent.bytes()), (None, 0));
    }

    #[test]
    fn what_is_asked_from_many_threads_stays_within_the_bounds() {
        let recent = Arc::new(LruCache::new(1_000, 20));
        let threads: Vec<_> = (0..4_u8)
            .map(|thread| {
                let recent = Arc::clone(&recent);
                thread::spawn(move || {
                    for turn in 0..=u8::MAX {
                        let key = turn.wrapping_mul(31).wrapping_add(thread) % 60;
                        if recent.get(&key).is_none() {
                            recent.put(key, u64::from(key));
                        }
                        assert!(recent.bytes() <= 1_000);
                    }
                })
            })
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().is_ok()));
        let kept = recent.lock();
        let bytes = kept.values.values().map(|value| value.bytes);
        assert_eq!(bytes.sum::<u64>(), kept.bytes);
        assert!(kept.values.len() <= 20 && kept.values.len() == kept.order.len());
    }
}
