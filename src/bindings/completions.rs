//! [`Completions`]: what has ended on the runtime, on its way to the thread of a Node environment.
//!
//! A threadsafe function for each promise, as napi makes one, costs Node's thread more than the rest of
//! a small read does. Here one serves an environment for as long as that lives, and wakes its thread once
//! for all that has ended meanwhile.
#![expect(
    unsafe_code,
    reason = "Node-API's promises and threadsafe functions are handles that only C functions take; why each call is sound stands beside it"
)]

use std::{
    cell::RefCell,
    ffi::c_void,
    marker::PhantomData,
    mem, ptr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use napi::{
    Env, Error, JsValue, Result, Status,
    bindgen_prelude::{FromNapiValue, PromiseRaw, ToNapiValue},
    sys,
};
use parking_lot::Mutex;

use crate::panic;

thread_local! {
    /// Those of this thread's environments: each context in which the addon is loaded has its own.
    static OF_THREAD: RefCell<Vec<Arc<Completions>>> = const { RefCell::new(Vec::new()) };
}

/// What has ended on the runtime, on its way to the thread of one Node environment.
struct Completions {
    env: Handle<sys::napi_env>,
    queue: Mutex<Queue>,
    /// How many promises are not settled yet; counted on the environment's thread alone.
    pending: AtomicUsize,
}

struct Queue {
    ended: Vec<Completion>,
    /// What wakes the environment's thread; `None` once the environment is torn down.
    wake: Option<Handle<sys::napi_threadsafe_function>>,
}

/// A promise, and what it is settled with.
struct Completion {
    promise: Handle<sys::napi_deferred>,
    value: Box<dyn ToJs>,
}

/// A promise that is not settled yet.
pub(super) struct Deferred<T> {
    promise: Handle<sys::napi_deferred>,
    completions: Arc<Completions>,
    value: PhantomData<fn(T)>,
}

/// A handle of Node's.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Handle<T>(T);

// SAFETY: other threads only pass it on. What is done with it is done on the environment's thread, but for
// the call of the threadsafe function, which is made for that and happens under the queue's lock.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

/// What can be made into a value of JavaScript's, on the environment's thread.
trait ToJs: Send {
    fn to_js(self: Box<Self>, env: Env) -> Result<sys::napi_value>;
}

impl<T: ToNapiValue + Send> ToJs for T {
    fn to_js(self: Box<Self>, env: Env) -> Result<sys::napi_value> {
        (*self).into_unknown(&env).map(|value| value.raw())
    }
}

impl<T: ToNapiValue + Send + 'static> Deferred<T> {
    /// A promise, and what settles it. The process does not end before it is settled.
    ///
    /// # Errors
    /// The environment is being torn down.
    pub(super) fn new(env: &Env) -> Result<(Self, PromiseRaw<'_, T>)> {
        let completions = Completions::of(env)?;
        let (mut promise, mut deferred) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is this thread's, and both places are written before they are read.
        let promise = check(unsafe {
            sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise)
        })
        // SAFETY: what was just made is a promise of this environment.
        .and_then(|()| unsafe { PromiseRaw::from_napi_value(env.raw(), promise) })?;
        completions.begin();
        let deferred = Self {
            promise: Handle(deferred),
            completions,
            value: PhantomData,
        };
        Ok((deferred, promise))
    }

    /// Settles it, from any thread.
    pub(super) fn resolve(self, value: T) {
        self.completions.push(Completion {
            promise: self.promise,
            value: Box::new(value),
        });
    }
}

impl Completions {
    /// Those of an environment, which are made when they are first needed.
    fn of(env: &Env) -> Result<Arc<Self>> {
        let known = OF_THREAD.with_borrow(|all| {
            let mut all = all.iter();
            all.find(|one| one.env == Handle(env.raw())).map(Arc::clone)
        });
        known.map_or_else(|| Self::new(env), Ok)
    }

    fn new(env: &Env) -> Result<Arc<Self>> {
        let completions = Arc::new(Self {
            env: Handle(env.raw()),
            queue: Mutex::new(Queue {
                ended: Vec::new(),
                wake: None,
            }),
            pending: AtomicUsize::new(0),
        });
        let wake = threadsafe_function(env, Arc::clone(&completions))?;
        completions.queue.lock().wake = Some(Handle(wake));
        completions.keep_process(false);
        // Hooks run last first: this one before that of the threadsafe function, which ends it.
        env.add_env_cleanup_hook(Arc::clone(&completions), |all| all.close())?;
        OF_THREAD.with_borrow_mut(|all| all.push(Arc::clone(&completions)));
        Ok(completions)
    }

    /// One more promise is to be settled.
    fn begin(&self) {
        if self.pending.fetch_add(1, Ordering::Relaxed) == 0 {
            self.keep_process(true);
        }
    }

    /// Whether the process stays for what is pending.
    fn keep_process(&self, is_kept: bool) {
        let Some(Handle(wake)) = self.queue.lock().wake else {
            return;
        };
        let env = self.env.0;
        // SAFETY: it is called on the environment's thread, before the environment is torn down. It fails
        // for no valid handle.
        let _ = unsafe {
            if is_kept {
                sys::napi_ref_threadsafe_function(env, wake)
            } else {
                sys::napi_unref_threadsafe_function(env, wake)
            }
        };
    }

    /// Hands one over to the environment's thread, and wakes it, if that was not done for another.
    fn push(&self, completion: Completion) {
        let mut queue = self.queue.lock();
        let Some(Handle(wake)) = queue.wake else {
            return;
        };
        queue.ended.push(completion);
        if queue.ended.len() == 1 {
            let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
            // SAFETY: the function lives as long as `wake` is there, for which the lock is held. Its queue
            // has no bound, so that it fails only where the environment ends, and nothing is settled then.
            let _ = unsafe { sys::napi_call_threadsafe_function(wake, ptr::null_mut(), mode) };
        }
    }

    /// Settles the promises of all that has ended.
    fn settle(&self, env: Env) {
        let ended = mem::take(&mut self.queue.lock().ended);
        let number = ended.len();
        for completion in ended {
            completion.settle(env);
        }
        if self.pending.fetch_sub(number, Ordering::Relaxed) == number {
            self.keep_process(false);
        }
    }

    /// The environment is being torn down: what ends from now on is dropped.
    fn close(&self) {
        let ended = {
            let mut queue = self.queue.lock();
            if let Some(Handle(wake)) = queue.wake.take() {
                let mode = sys::ThreadsafeFunctionReleaseMode::abort;
                // SAFETY: it was not released before, and is not used any more.
                let _ = unsafe { sys::napi_release_threadsafe_function(wake, mode) };
            }
            mem::take(&mut queue.ended)
        };
        drop(ended);
        let _ = OF_THREAD.try_with(|all| all.borrow_mut().retain(|one| one.env != self.env));
    }
}

impl Completion {
    fn settle(self, env: Env) {
        let (raw, Handle(promise)) = (env.raw(), self.promise);
        // SAFETY: the promise is one of this environment's that was not settled yet, and so are the values;
        // this is the environment's thread. Where the environment ends, the calls fail, which is all the same.
        let _ = match self.value.to_js(env) {
            Ok(value) => unsafe { sys::napi_resolve_deferred(raw, promise, value) },
            Err(error) => match thrown(env, error) {
                Ok(reason) => unsafe { sys::napi_reject_deferred(raw, promise, reason) },
                Err(error) => error.status as sys::napi_status,
            },
        };
    }
}

/// Why a value could not be made: what was thrown meanwhile, or else the error.
fn thrown(env: Env, error: Error) -> Result<sys::napi_value> {
    let (mut is_pending, mut reason) = (false, ptr::null_mut());
    // SAFETY: this is the environment's thread, and both places are written before they are read.
    unsafe {
        check(sys::napi_is_exception_pending(
            env.raw(),
            &raw mut is_pending,
        ))?;
        if is_pending {
            check(sys::napi_get_and_clear_last_exception(
                env.raw(),
                &raw mut reason,
            ))?;
            return Ok(reason);
        }
    }
    error.into_unknown(&env).map(|value| value.raw())
}

/// A function that any thread may call, and that settles on the environment's thread what has ended.
fn threadsafe_function(
    env: &Env,
    completions: Arc<Completions>,
) -> Result<sys::napi_threadsafe_function> {
    let name = env.create_string("backstage-azure-devops-native")?;
    let context = Arc::into_raw(completions).cast_mut().cast::<c_void>();
    let mut function = ptr::null_mut();
    // SAFETY: this is the environment's thread; the context is an `Arc`, which is given back by `release`.
    let made = check(unsafe {
        sys::napi_create_threadsafe_function(
            env.raw(),
            ptr::null_mut(),
            ptr::null_mut(),
            name.raw(),
            0,
            1,
            context,
            Some(release),
            context,
            Some(settle),
            &raw mut function,
        )
    });
    if made.is_err() {
        // SAFETY: nobody else has it, since no function was made.
        drop(unsafe { Arc::from_raw(context.cast::<Completions>()) });
    }
    made.map(|()| function)
}

unsafe extern "C" fn settle(
    env: sys::napi_env,
    _: sys::napi_value,
    context: *mut c_void,
    _: *mut c_void,
) {
    // As Node calls it while the environment ends.
    if env.is_null() {
        return;
    }
    panic::contained(|| {
        // SAFETY: the context is held until `release`.
        let completions = unsafe { &*context.cast::<Completions>() };
        completions.settle(Env::from_raw(env));
    });
}

unsafe extern "C" fn release(_: sys::napi_env, context: *mut c_void, _: *mut c_void) {
    // SAFETY: it is what was given to the function, whose end this is.
    let completions = unsafe { Arc::from_raw(context.cast::<Completions>()) };
    panic::contained(|| drop(completions));
}

fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    let message = "Node-API refused a call".to_owned();
    Err(Error::new(Status::from(status), message))
}
