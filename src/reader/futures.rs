//! How large the futures are that a caller spawns.
//!
//! A future is moved on its way to the runtime, and stays as large as it is until it ends: a read
//! that has room for each rare case costs as much as the rare case in every read. `future-size-threshold`
//! in `clippy.toml` bounds the futures that are awaited; no lint sees those that are spawned.

use std::{any::type_name, path::PathBuf, sync::Arc};

use super::{
    Body, Contents, Packed, ReadRequest, ReadTree, ReadTreeResponse, Search, Tree, list_url,
    read_tree, read_url,
};
use crate::rest::Conditions;

/// Fails where the future that a call gives is larger than this; none is made for it.
fn at_most<Asked, F: Future>(most: usize, _call: impl FnOnce(Asked) -> F) {
    let (size, what) = (size_of::<F>(), type_name::<F>());
    assert!(size <= most, "{what} has {size} bytes, and may have {most}");
}

#[test]
fn a_read_is_no_larger_than_it_may_be() {
    type Url = (ReadRequest, Conditions);
    at_most(4352, |(read, conditions): Url| read_url(read, conditions));
    at_most(4096, |tree: ReadTree| read_tree(tree));
    at_most(4608, |read: ReadRequest| list_url(read));
    at_most(1792, |read: ReadRequest| Search::begin(read, None));
}

#[test]
fn a_search_is_no_larger_than_it_may_be() {
    at_most(6656, |search: &'static Search| search.candidates());
    at_most(3584, |search: &'static Search| search.read(&[]));
    at_most(768, |contents: &'static Contents| contents.get(&[]));
}

#[test]
fn a_content_is_no_larger_than_it_may_be() {
    at_most(2304, |body: &'static mut Body| body.next());
    at_most(2432, |body: &'static mut Body| body.collect());
}

#[test]
fn a_tree_is_no_larger_than_it_may_be() {
    type Extracted = (Arc<Tree>, PathBuf);
    at_most(1280, |tree: ReadTreeResponse| tree.open());
    at_most(1280, |tree: ReadTreeResponse| tree.copy());
    at_most(512, |tree: Arc<Tree>| tree.content(0));
    at_most(512, |tree: Arc<Tree>| tree.contents(Vec::new()));
    at_most(512, |(tree, folder): Extracted| tree.extract(folder, None));
    at_most(512, |tree: Arc<Tree>| tree.pack(None));
    at_most(256, |packed: &'static mut Packed| packed.next());
}
