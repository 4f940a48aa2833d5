//! [`Content`]: the bytes of a small file on their way to JavaScript.

use std::ptr;

use napi::{
    Result, Status,
    bindgen_prelude::{Buffer, ToNapiValue},
    sys,
};

/// Up to so many bytes are copied. To hand them over costs Node's thread more than that: V8 has to call
/// back when it has collected the buffer.
const MOST_COPIED: usize = 16 * 1024;

/// The bytes of a file, which become a `Buffer`.
pub struct Content(pub(super) Vec<u8>);

#[expect(
    unsafe_code,
    reason = "napi's trait is so, and a copy is made by the function of Node-API alone"
)]
impl ToNapiValue for Content {
    unsafe fn to_napi_value(env: sys::napi_env, Self(bytes): Self) -> Result<sys::napi_value> {
        if bytes.len() > MOST_COPIED {
            // SAFETY: the caller's: it is the environment of this thread.
            return unsafe { Buffer::to_napi_value(env, bytes.into()) };
        }
        let mut value = ptr::null_mut();
        // SAFETY: so many bytes are read while they are there, and the value is written before it is read.
        let status = unsafe {
            let bytes = bytes.as_slice();
            let data = bytes.as_ptr().cast();
            sys::napi_create_buffer_copy(env, bytes.len(), data, ptr::null_mut(), &raw mut value)
        };
        match Status::from(status) {
            Status::Ok => Ok(value),
            status => Err(napi::Error::new(status, "a buffer could not be made")),
        }
    }
}
