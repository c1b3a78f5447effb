//! One server process of ours: spawned, watched, killed, and its last words read.
//!
//! The only place that starts a server process, and the only one with `unsafe`. It never
//! knows which server it runs.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How much of a log's end goes into an error.
const TAIL_BYTES: u64 = 4_000;
/// How long a server may take to stop by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server process that does not outlive this one.
pub(super) struct Child {
    process: Process,
    log: Log,
    pid_file: PathBuf,
}

impl Child {
    /// Starts `command`, with its output appended to `log` and its id written to `pid_file`.
    pub(super) async fn spawn(command: Command, log: &Path, pid_file: &Path) -> io::Result<Self> {
        let job = Job { command, log: log.to_owned(), pid_file: pid_file.to_owned() };
        let (reply, spawned) = oneshot::channel();
        spawner().send((job, reply)).expect("the spawner lives as long as the process");
        spawned.await.expect("the spawner answers every job")
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// What it has written since it was spawned.
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.process), signal).map_err(Into::into)
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    pub(super) async fn kill(mut self) -> io::Result<()> {
        self.process.kill()?;
        self.gone(Instant::now() + PATIENCE).await?;
        Ok(())
    }

    /// Asks it to stop, waits, and kills it if it takes longer than it should.
    pub(super) async fn stop(mut self) -> io::Result<()> {
        self.signal(Signal::TERM)?;
        // One that a fault has frozen would never hear the request.
        self.signal(Signal::CONT)?;
        if !self.gone(Instant::now() + PATIENCE).await? {
            self.process.kill()?;
            self.process.wait()?;
        }
        Ok(())
    }

    async fn gone(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            if self.process.try_wait()?.is_some() {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it is gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.pid_file);
    }
}

/// A server's log file, from where this run of it began.
pub(super) struct Log {
    path: PathBuf,
    from: u64,
}

impl Log {
    /// All that this run has written.
    pub(super) fn text(&self) -> io::Result<String> {
        self.text_from(self.from)
    }

    /// The end of it, or a word on why it cannot be read.
    pub(super) fn tail(&self) -> String {
        let read = || {
            let length = File::open(&self.path)?.metadata()?.len();
            self.text_from(self.from.max(length.saturating_sub(TAIL_BYTES)))
        };
        match read() {
            Ok(text) if text.trim().is_empty() => "(it wrote nothing)".to_owned(),
            Ok(text) => text.trim().to_owned(),
            Err(error) => format!("(its log cannot be read: {error})"),
        }
    }

    fn text_from(&self, from: u64) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

struct Job {
    command: Command,
    log: PathBuf,
    pid_file: PathBuf,
}

impl Job {
    fn run(mut self) -> io::Result<Child> {
        let output = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let log = Log { path: self.log, from: output.metadata()?.len() };
        self.command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        bind_to_parent(&mut self.command);
        let process = self.command.spawn()?;
        // Owned before anything else can fail, so that a failure below kills it.
        let child = Child { process, log, pid_file: self.pid_file };
        std::fs::write(&child.pid_file, child.id().to_string())?;
        Ok(child)
    }
}

type Order = (Job, oneshot::Sender<io::Result<Child>>);

/// A thread that lives as long as the process and spawns for everyone: the kernel sends the
/// parent death signal when the spawning *thread* ends, and a test's thread ends with it.
fn spawner() -> &'static mpsc::Sender<Order> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Order>();
        thread::Builder::new()
            .name("servers-spawner".to_owned())
            .spawn(move || {
                while let Ok((job, reply)) = inbox.recv() {
                    // A caller that gave up lets the child drop, which kills it.
                    let _ = reply.send(job.run());
                }
            })
            .expect("a thread can be started");
        jobs
    })
}

/// Makes the child die with this process, however this process dies, and keeps terminal
/// signals from it, so that an interrupted run can still report on live servers.
fn bind_to_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = rustix::process::getpid();
        let before_exec = move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died between the fork and the line above.
            if rustix::process::getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from(rustix::io::Errno::SRCH))
            }
        };
        // SAFETY: between fork and exec only async-signal-safe work is allowed. The closure
        // makes two system calls (prctl, getppid), allocates nothing, takes no lock, and
        // its errors are plain error numbers.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(before_exec);
        }
    }
}
