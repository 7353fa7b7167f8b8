//! Shared by the tests: what may be missing on a machine, and the plain line or failure that says so.
//!
//! In: the name of a thing a test needs. Out: where it is, or `None` after a line that says what was
//! skipped. With `CI=true` in the environment nothing may be missing: then the test fails.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of tests fail like the tests, and say what they skip"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What one run of `lbaudit` gave.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit status; 128 and more where a signal ended it.
    pub(crate) status: i32,
    /// Standard output, invalid UTF-8 replaced.
    pub(crate) stdout: String,
    /// Standard error, invalid UTF-8 replaced.
    pub(crate) stderr: String,
}

/// Runs the program with nothing on standard input.
pub(crate) fn lbaudit<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Run {
    lbaudit_in(Path::new("."), arguments, b"")
}

/// Runs the program in `folder` with `input` on standard input.
pub(crate) fn lbaudit_in<S: AsRef<std::ffi::OsStr>>(
    folder: &Path,
    arguments: &[S],
    input: &[u8],
) -> Run {
    let mut child = command(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lbaudit starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_vec();
    // A program that does not read its input closes it: that is no fault of the test.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("lbaudit ends");
    writer.join().expect("the input was written");
    Run {
        status: exit_status(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The program, without what the environment of the tests would change.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbaudit"));
    command.current_dir(folder);
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "LBAUDIT_CONFIG",
        "RUST_BACKTRACE",
        "GITHUB_WORKSPACE",
        "GITHUB_STEP_SUMMARY",
        "CI_PROJECT_DIR",
    ] {
        command.env_remove(name);
    }
    command
}

fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// The file or folder `path` of the material that lies beside a developer's checkout (`../shared`).
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared"));
    let wanted = folder.join(path);
    if wanted.exists() {
        return Some(wanted);
    }
    missing(&format!("../shared is not here ({path})"))
}

/// The installed HAProxy.
pub(crate) fn haproxy() -> Option<PathBuf> {
    program("haproxy")
}

/// The installed nginx.
pub(crate) fn nginx() -> Option<PathBuf> {
    program("nginx")
}

/// The installed nginx, where this user may check configurations that leave logs and folders at their
/// defaults: nginx opens those in `/var/log` and `/var/lib` even then.
pub(crate) fn nginx_with_its_folders() -> Option<PathBuf> {
    let program = nginx()?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("nginx.conf");
    let socket = folder.path().join("socket");
    let server = format!("server {{ listen unix:{}; }}", socket.display());
    let text = format!("events {{}}\nhttp {{ {server} }}\n");
    std::fs::write(&file, text).expect("a configuration");
    let mut command = Command::new(&program);
    command.args(["-t", "-q", "-e", "stderr", "-g", "pid nginx.pid;", "-p"]);
    let output = command.arg(folder.path()).arg("-c").arg(&file).output();
    if output.expect("nginx runs").status.success() {
        return Some(program);
    }
    missing("this user may not open the logs of nginx, as root may")
}

/// Prometheus' `promtool`, which knows what a metrics file may hold.
pub(crate) fn promtool() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| program("promtool")).clone()
}

/// The stream module of the installed nginx, for `load_module`.
pub(crate) fn nginx_stream_module() -> Option<PathBuf> {
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
