//! Any text as a pattern: a path that it spells out is never left out, and sets are not counted for less than
//! their members.
#![no_main]

use backstage_azure_devops_native::glob::{Expansion, Shape, literal_folder, weight};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (pattern, path) = texts;
    assert!(literal_folder(pattern).starts_with('/'));
    let expansion = Expansion::of(pattern);
    assert!(expansion.alternatives >= 1 && weight(pattern) >= 0.0);
    if !pattern.contains(['{', '}']) {
        let characters = pattern.chars().count() as u64;
        assert_eq!(
            (expansion.alternatives, expansion.characters),
            (1, characters)
        );
    }
    // As many sets beside each other multiply, wherever they stand.
    let sets = format!("{{a,b}}{pattern}{{c,d,e}}");
    if !pattern.contains(['{', '}', '\\']) {
        assert_eq!(Expansion::of(&sets).alternatives, 6, "{pattern}");
    }
    let Some(shape) = Shape::of(pattern) else {
        return;
    };
    let _ = shape.may_match(path);
    let is_spelled_out = !pattern.contains([
        '*', '?', '[', ']', '{', '}', '(', ')', '!', '+', '@', '\\', '#',
    ]);
    if is_spelled_out {
        assert!(shape.may_match(pattern.trim_matches('/')), "{pattern}");
    }
    if let Some((folder, levels)) = shape.levels() {
        assert!(folder.starts_with('/') && !levels.is_empty(), "{pattern}");
    }
});
