//! Runs the developer tools' programs: apart from Node's own children, and not for ever.

use std::{
    ffi::OsStr,
    io,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use azure_identity::Executor;
use tokio::{task, time::timeout};

/// As long as a tool may take. The Azure CLI takes a second or two.
const LIMIT: Duration = Duration::from_secs(13);

/// Runs a program to its end on a thread of its own.
///
/// Not `tokio::process`, which learns of ends by a signal that is Node's to handle.
#[derive(Debug)]
pub(crate) struct Runner;

#[async_trait]
impl Executor for Runner {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let child = spawn(program, args)?;
        let id = child.id();
        let end = task::spawn_blocking(move || child.wait_with_output());
        let Ok(ended) = timeout(LIMIT, end).await else {
            kill(id);
            let message = format!("was still running after {} seconds", LIMIT.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        };
        ended.map_err(io::Error::other)?
    }
}

fn spawn(program: &OsStr, args: &[&OsStr]) -> io::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A group of their own, so that what the shell started ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

#[cfg(unix)]
fn kill(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    // It may have ended in this moment.
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
}

#[cfg(windows)]
fn kill(id: u32) {
    // Ends the children too, which `TerminateProcess` would leave.
    let _ = Command::new("taskkill")
        .args(["/F", "/T", "/PID", &id.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
