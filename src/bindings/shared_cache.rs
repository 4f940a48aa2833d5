//! The cache service of a Backstage plugin, asked from the runtime.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use napi::{
    Status,
    bindgen_prelude::{FnArgs, Promise},
    threadsafe_function::ThreadsafeFunction,
};
use napi_derive::napi;

use crate::{
    fault,
    shared_cache::{self, NoAnswer},
};

/// A function that is called from the runtime. It keeps no process, and what it throws is an error.
type Called<Arguments, Result> =
    ThreadsafeFunction<Arguments, Result, Arguments, Status, false, true>;

type Get = Called<FnArgs<(String,)>, Promise<Option<String>>>;
type Set = Called<FnArgs<(String, String, f64)>, Promise<()>>;

/// Shares with other replicas through the cache service of a plugin: `get` asks for an entry, and
/// `set` writes one with its life in milliseconds.
#[napi(
    catch_unwind,
    ts_args_type = "plugin: string, get: (key: string) => Promise<string | undefined>, set: (key: string, value: string, milliseconds: number) => Promise<void>"
)]
pub fn share_through(plugin: String, get: Get, set: Set) {
    let (get, set) = (get.into(), set.into());
    shared_cache::share_through(plugin, CacheFunctions { get, set });
}

struct CacheFunctions {
    get: Arc<Get>,
    set: Arc<Set>,
}

impl shared_cache::CacheService for CacheFunctions {
    fn get(&self, key: String) -> BoxFuture<'static, Result<Option<String>, NoAnswer>> {
        let get = self.get.clone();
        answered(async move {
            fault::point("shared cache");
            let promise = get.call_async_catch((key,).into()).await;
            promise.map_err(no_answer)?.await.map_err(no_answer)
        })
    }

    fn set(
        &self,
        key: String,
        value: String,
        life: Duration,
    ) -> BoxFuture<'static, Result<(), NoAnswer>> {
        let set = self.set.clone();
        let milliseconds = (life.as_secs_f64() * 1000.0).ceil();
        answered(async move {
            let promise = set
                .call_async_catch((key, value, milliseconds).into())
                .await;
            promise.map_err(no_answer)?.await.map_err(no_answer)
        })
    }

    fn is_there(&self) -> bool {
        !self.get.aborted()
    }
}

impl fmt::Debug for CacheFunctions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CacheFunctions")
    }
}

/// A panic is no answer either.
fn answered<T>(
    asked: impl Future<Output = Result<T, NoAnswer>> + Send + 'static,
) -> BoxFuture<'static, Result<T, NoAnswer>> {
    let asked = AssertUnwindSafe(asked).catch_unwind();
    asked.map(|answer| answer.unwrap_or(Err(NoAnswer))).boxed()
}

/// The service has said why to its own log.
fn no_answer(_: napi::Error) -> NoAnswer {
    NoAnswer
}
