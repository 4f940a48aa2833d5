//! The runtime of the process, sized for a backend.

use std::{num::NonZero, thread};

use napi::bindgen_prelude::create_custom_tokio_runtime;
use tokio::runtime::Builder;

/// From so many processors on there are two threads for reads.
const MANY_PROCESSORS: usize = 8;

/// Makes the runtime that all reads of the process share; without it there is napi's own.
///
/// Most of a read is waiting. One thread that both waits for the network and goes on with the reads settles
/// tens of thousands of small ones in a second, which is more than Node's own thread takes; with more, each
/// read wakes others, which costs more than all of its work. What takes long (archives, digests, files)
/// has threads of its own.
pub(super) fn start() {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = if processors < MANY_PROCESSORS { 1 } else { 2 };
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("azure-devops")
        .enable_all()
        .build();
    if let Ok(runtime) = runtime {
        create_custom_tokio_runtime(runtime);
    }
}
