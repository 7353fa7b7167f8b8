//! Shared by the tests: what may be missing on a machine, and the plain line or failure that says so.
//!
//! In: the name of a thing a test needs. Out: where it is, or `None` after a line that says what was
//! skipped. With `CI=true` in the environment nothing may be missing: then the test fails.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};

/// The file or folder `path` of the material that lies beside a developer's checkout (`../shared`).
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared"));
    let wanted = folder.join(path);
    if wanted.exists() {
        return Some(wanted);
    }
    missing(&format!("../shared is not here ({path})"))
}

/// The installed HAProxy.
pub fn haproxy() -> Option<PathBuf> {
    program("haproxy")
}

/// The installed nginx.
pub fn nginx() -> Option<PathBuf> {
    program("nginx")
}

/// The stream module of the installed nginx, for `load_module`.
pub fn nginx_stream_module() -> Option<PathBuf> {
    let folders = [
        "/usr/lib/nginx/modules",
        "/usr/share/nginx/modules",
        "/usr/lib64/nginx/modules",
    ];
    let files = folders.map(|folder| Path::new(folder).join("ngx_stream_module.so"));
    match files.into_iter().find(|file| file.exists()) {
        Some(file) => Some(file),
        None => missing("the stream module of nginx is not installed"),
    }
}

/// An executable of this name in `PATH` or in the folders for administrators.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    match folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
    {
        Some(file) => Some(file),
        None => missing(&format!("{name} is not installed")),
    }
}

/// Says on standard error what a test goes without, or fails where nothing may be missing.
fn missing<T>(what: &str) -> Option<T> {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{what}, and with CI=true nothing may be missing"
    );
    eprintln!("skipped: {what}");
    None
}
