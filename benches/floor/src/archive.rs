//! A zip that is unpacked as fast as the machine can: from memory, by all cores, with libdeflate.

use std::{
    collections::BTreeSet,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use libdeflater::{Crc, Decompressor};
use napi::{
    Env,
    bindgen_prelude::{Buffer, PromiseRaw},
};
use napi_derive::napi;
use rawzip::{CompressionMethod, ZipArchive};

use crate::failed;

/// Unpacks a zip into a folder, and tells how many files it held.
#[napi]
pub fn extract(env: &Env, zip: Buffer, folder: String) -> napi::Result<PromiseRaw<'_, u32>> {
    let zip = Vec::from(zip);
    env.spawn_future(async move {
        let work = move || extract_all(&zip, Path::new(&folder));
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    })
}

/// Where a file of a zip goes, and what it is made from.
struct Entry<'zip> {
    path: PathBuf,
    data: &'zip [u8],
    method: CompressionMethod,
    size: usize,
    crc32: u32,
}

fn extract_all(zip: &[u8], folder: &Path) -> napi::Result<u32> {
    let entries = entries_of(zip, folder)?;
    let folders: BTreeSet<_> = entries.iter().filter_map(|it| it.path.parent()).collect();
    for folder in folders {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| write_some(&entries, &next)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .map_err(|_| failed("a thread that unpacks has panicked"))?
        })
    })?;
    u32::try_from(entries.len()).map_err(failed)
}

fn entries_of<'zip>(zip: &'zip [u8], folder: &Path) -> napi::Result<Vec<Entry<'zip>>> {
    let archive = ZipArchive::from_slice(zip).map_err(failed)?;
    let mut records = archive.entries();
    let mut entries = Vec::new();
    while let Some(record) = records.next_entry().map_err(failed)? {
        if record.is_dir() {
            continue;
        }
        let path = record.file_path().try_normalize().map_err(failed)?;
        let (start, end) = archive
            .get_entry(record.wayfinder())
            .map_err(failed)?
            .compressed_data_range();
        let range =
            usize::try_from(start).map_err(failed)?..usize::try_from(end).map_err(failed)?;
        entries.push(Entry {
            path: folder.join(path.as_ref()),
            data: &zip[range],
            method: record.compression_method(),
            size: usize::try_from(record.uncompressed_size_hint()).map_err(failed)?,
            crc32: record.crc32(),
        });
    }
    Ok(entries)
}

/// Writes one file after the other, as long as there are any that no other thread has taken.
fn write_some(entries: &[Entry<'_>], next: &AtomicUsize) -> napi::Result<()> {
    let mut decompressor = Decompressor::new();
    let mut content = Vec::new();
    while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
        let bytes = if entry.method == CompressionMethod::STORE {
            entry.data
        } else {
            content.resize(entry.size.max(content.len()), 0);
            let inflated = &mut content[..entry.size];
            decompressor
                .deflate_decompress(entry.data, inflated)
                .map_err(failed)?;
            inflated
        };
        let mut crc = Crc::new();
        crc.update(bytes);
        if crc.sum() != entry.crc32 {
            return Err(failed(format!("{} is damaged", entry.path.display())));
        }
        fs::write(&entry.path, bytes).map_err(failed)?;
    }
    Ok(())
}
