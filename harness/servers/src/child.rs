//! A server, or a service, as a child process: spawned, watched, signalled, killed, and its log
//! read.
//!
//! The only file that spawns a server, and the only one with `unsafe`. It never knows which
//! server it runs.

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

/// The size of the end of a log that an error shows.
const TAIL_BYTES: u64 = 4_000;
/// The time limit of a clean stop, after which the server is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A process that never outlives this process. Dropping it kills it.
pub struct Child {
    process: Process,
    log: Log,
    pid_file: PathBuf,
}

impl Child {
    /// Spawns `command`, appends its output to `log` and writes its id to `pid_file`.
    ///
    /// # Errors
    /// When the program cannot be run or a file cannot be written.
    ///
    /// # Panics
    /// When the thread that spawns has panicked.
    pub async fn spawn(command: Command, log: &Path, pid_file: &Path) -> io::Result<Self> {
        let job = Job { command, log: log.to_owned(), pid_file: pid_file.to_owned() };
        let (reply, spawned) = oneshot::channel();
        spawner().send((job, reply)).expect("the spawner runs as long as the process");
        spawned.await.expect("the spawner replies to every job")
    }

    /// The exit status, once the process has exited.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Suspends the process (`SIGSTOP`): its connections stay open, and it does nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Resumes a frozen process (`SIGCONT`).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// The end of the output since the spawn.
    #[must_use]
    pub fn tail(&self) -> String {
        self.log.tail()
    }

    /// The log since the spawn.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.process), signal).map_err(Into::into)
    }

    /// Kills the process as a crash would (`SIGKILL`), and waits until it has exited.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(mut self) -> io::Result<()> {
        self.process.kill()?;
        self.exits_by(Instant::now() + STOP_LIMIT).await?;
        Ok(())
    }

    /// Stops the process cleanly (`SIGTERM`), or kills it after five seconds.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        self.signal(Signal::TERM)?;
        // A process that a fault has frozen would not handle the request.
        self.signal(Signal::CONT)?;
        if !self.exits_by(Instant::now() + STOP_LIMIT).await? {
            self.process.kill()?;
            self.process.wait()?;
        }
        Ok(())
    }

    async fn exits_by(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            if self.process.try_wait()?.is_some() {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only if the process has exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.pid_file);
    }
}

/// A server's log file, from the position at which this process began to write.
pub(crate) struct Log {
    path: PathBuf,
    start: u64,
}

impl Log {
    /// Everything that this process has logged.
    pub(crate) fn text(&self) -> io::Result<String> {
        self.text_from(self.start)
    }

    /// The end of the log for an error message, or a note that it cannot be read.
    pub(crate) fn tail(&self) -> String {
        let read = || {
            let length = File::open(&self.path)?.metadata()?.len();
            self.text_from(self.start.max(length.saturating_sub(TAIL_BYTES)))
        };
        match read() {
            Ok(text) if text.trim().is_empty() => "(the log is empty)".to_owned(),
            Ok(text) => text.trim().to_owned(),
            Err(error) => format!("(the log cannot be read: {error})"),
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
        let log = Log { path: self.log, start: output.metadata()?.len() };
        self.command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        bind_to_parent(&mut self.command);
        let process = self.command.spawn()?;
        // Owned before anything else can fail, so that a failure below kills the process.
        let child = Child { process, log, pid_file: self.pid_file };
        std::fs::write(&child.pid_file, child.id().to_string())?;
        Ok(child)
    }
}

type Request = (Job, oneshot::Sender<io::Result<Child>>);

/// A thread that runs as long as the process and spawns all servers: the kernel sends the
/// parent death signal when the spawning *thread* ends, and a test's thread ends with the test.
fn spawner() -> &'static mpsc::Sender<Request> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Request>();
        thread::Builder::new()
            .name("servers-spawner".to_owned())
            .spawn(move || {
                while let Ok((job, reply)) = inbox.recv() {
                    // If the caller was cancelled, the child is dropped here, which kills it.
                    let _ = reply.send(job.run());
                }
            })
            .expect("a thread can be started");
        jobs
    })
}

/// Makes the kernel kill the child when this process dies, and shields it from signals of the
/// terminal, so that an interrupted run can still report while its servers run.
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
