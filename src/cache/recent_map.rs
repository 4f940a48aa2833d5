//! Values of the keys that were used last, bounded by their number.

use std::{collections::HashMap, mem};

/// A map that forgets the keys that were not used for longest. It holds between as many as it was made for
/// and twice as many, and each use takes constant time.
#[derive(Debug)]
pub struct RecentMap<V> {
    most: usize,
    used: HashMap<String, V>,
    /// Those that were not used since the others were, which go when there are too many of them.
    unused: HashMap<String, V>,
}

impl<V> RecentMap<V> {
    /// An empty one for so many keys.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            used: HashMap::new(),
            unused: HashMap::new(),
        }
    }

    /// The value of a key, if it was used not long ago.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.used.get(key).or_else(|| self.unused.get(key))
    }

    /// The value of a key, if it was used not long ago, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let unused = &mut self.unused;
        self.used.get_mut(key).or_else(|| unused.get_mut(key))
    }

    /// Sets the value of a key, which is used now.
    pub fn set(&mut self, key: &str, value: V) {
        // Of most keys it is there already, and then nothing is allocated for it.
        if let Some(known) = self.used.get_mut(key) {
            *known = value;
            return;
        }
        self.unused.remove(key);
        if self.used.len() >= self.most {
            self.unused = mem::take(&mut self.used);
        }
        self.used.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_there_and_what_was_not_is_forgotten() {
        let mut recent_map = RecentMap::new(100);
        for number in 0..10_000 {
            recent_map.set("often", number);
            recent_map.set(&number.to_string(), number);
            assert!(recent_map.used.len() + recent_map.unused.len() <= 200);
        }
        assert_eq!(recent_map.get("often"), Some(&9_999));
        for number in 9_901..10_000 {
            assert_eq!(recent_map.get(&number.to_string()), Some(&number));
        }
        assert_eq!(recent_map.get("0"), None);
    }
}
