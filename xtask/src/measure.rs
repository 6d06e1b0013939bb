//! What one run of a program costs: wall and processor time, and peak memory.
//!
//! The system gives the peak of the largest child only, and counts the memory of the process that starts it. So each
//! program runs under a process of its own, this one again, which is small and has no other child.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Arguments of the process between.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the program's standard output goes; its errors go beside it, to `<output>.stderr`.
    #[arg(long)]
    output: PathBuf,
    /// Seconds after which the program is ended.
    #[arg(long)]
    timeout: u64,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Wall time in seconds.
    pub(crate) seconds: f64,
    /// Processor time of all threads, in seconds; 0 where the system does not tell.
    pub(crate) cpu_seconds: f64,
    /// Peak resident memory in bytes; 0 where the system does not tell.
    pub(crate) peak_bytes: u64,
    /// The exit code; `None` for a program that a signal ended.
    pub(crate) exit_code: Option<i32>,
    /// Whether it was ended because it took too long.
    pub(crate) timed_out: bool,
}

impl Usage {
    /// Peak memory in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        mib(self.peak_bytes)
    }
}

/// Bytes as MiB.
#[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Runs `command` and tells what it used; its standard output is in `output`, its errors in [`errors_of`] that.
pub(crate) fn measure(command: &[String], output: &Path, timeout: Duration) -> Result<Usage, Failure> {
    let this = std::env::current_exe().map_err(|error| Failure::of("xtask", error))?;
    let answer = Command::new(this)
        .args(["measure", "--timeout", &timeout.as_secs().to_string(), "--output"])
        .arg(output)
        .arg("--")
        .args(command)
        .output()
        .map_err(|error| Failure::of("xtask measure", error))?;
    serde_json::from_slice(&answer.stdout)
        .map_err(|_| Failure::of("xtask measure", String::from_utf8_lossy(&answer.stderr)))
}

/// Where the errors of a measured program are.
pub(crate) fn errors_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".stderr");
    PathBuf::from(name)
}

/// The process between: prints the [`Usage`] of one program.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let Some((program, arguments)) = options.command.split_first() else {
        return Err(Failure::Usage("no program to measure".to_owned()));
    };
    let errors = errors_of(&options.output);
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(File::create(&options.output).map_err(Failure::at(&options.output))?)
        .stderr(File::create(&errors).map_err(Failure::at(&errors))?)
        .spawn()
        .map_err(|error| Failure::of(program, error))?;
    let ended = wait(&mut child, start, Duration::from_secs(options.timeout))
        .map_err(|error| Failure::of(program, error))?;
    let (cpu_seconds, peak_bytes) = used_by_children();
    let usage = Usage {
        seconds: ended.seconds,
        cpu_seconds,
        peak_bytes,
        exit_code: ended.exit_code,
        timed_out: ended.timed_out,
    };
    crate::say(&serde_json::to_string(&usage).map_err(|error| Failure::of("xtask measure", error))?);
    Ok(())
}

struct Ended {
    seconds: f64,
    exit_code: Option<i32>,
    timed_out: bool,
}

/// Looks every two milliseconds: a twentieth of the shortest run that is of interest.
fn wait(child: &mut Child, start: Instant, timeout: Duration) -> std::io::Result<Ended> {
    let mut timed_out = false;
    loop {
        if let Some(status) = child.try_wait()? {
            let seconds = start.elapsed().as_secs_f64();
            return Ok(Ended { seconds, exit_code: status.code(), timed_out });
        }
        if start.elapsed() > timeout && !timed_out {
            timed_out = true;
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Processor seconds and peak resident bytes of the children that have ended.
#[cfg(unix)]
#[allow(clippy::cast_precision_loss, reason = "times are far below 2^53 microseconds")]
fn used_by_children() -> (f64, u64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;

    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (0.0, 0) };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // In bytes on macOS, else in KiB.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    (micros as f64 / 1e6, u64::try_from(usage.max_rss()).unwrap_or(0) * unit)
}

#[cfg(not(unix))]
fn used_by_children() -> (f64, u64) {
    (0.0, 0)
}
