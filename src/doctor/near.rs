//! Names that are nearly the one that is not there.

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};

/// The most names that are told.
const MOST: usize = 3;

/// How alike two names have to be, from 0 to 1: a swapped pair in six letters is, another word is not.
const ALIKE: f64 = 0.7;

/// Shorter names have nothing in common by one character.
const SHORTEST: usize = 3;

/// The names that are nearly the wanted one, the nearest first: those that differ by case alone, then those
/// that differ after the dot, then those with a typing error.
pub(super) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let folded = wanted.to_lowercase();
    let mut alike: Vec<(f64, &str)> = names
        .into_iter()
        .filter(|name| *name != wanted)
        .map(|name| (distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= 1.0 - ALIKE)
        .collect();
    alike.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let alike = alike.into_iter().take(MOST);
    alike.map(|(_, name)| name.to_owned()).collect()
}

fn distance(wanted: &str, name: &str) -> f64 {
    if wanted == name {
        return 0.0;
    }
    if stem(wanted) == stem(name) && !stem(name).is_empty() {
        return 0.1;
    }
    // In a short name one typing error is much of it.
    if wanted.len() >= SHORTEST && damerau_levenshtein(wanted, name) == 1 {
        return 0.2;
    }
    1.0 - normalized_damerau_levenshtein(wanted, name)
}

/// The name without what follows its last dot.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_case_comes_first_and_another_word_not_at_all() {
        let there = [
            "README.md",
            "catalog-info.yml",
            "Catalog-Info.yaml",
            "catlog-info.yaml",
        ];
        assert_eq!(
            near("catalog-info.yaml", there),
            ["Catalog-Info.yaml", "catalog-info.yml", "catlog-info.yaml"]
        );
        assert!(near("main", ["master", "develop"]).is_empty());
        assert_eq!(near("mian", ["main", "master"]), ["main"]);
        assert_eq!(near("wbe", ["web", "old"]), ["web"]);
    }
}
