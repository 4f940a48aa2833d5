//! Prepares the linker for a Node addon.

fn main() {
    napi_build::setup();
    stay_loaded();
}

/// Keeps the library in the process once it is there: Node unloads an addon with the last worker
/// thread that used it, and with it would go what all readers of the process share.
fn stay_loaded() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
