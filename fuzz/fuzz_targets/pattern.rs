//! Any text as a pattern: a path that it spells out is never left out.
#![no_main]

use backstage_azure_devops_native::pattern::{Shape, literal_folder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (pattern, path) = texts;
    assert!(literal_folder(pattern).starts_with('/'));
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
