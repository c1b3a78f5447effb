//! A TCP link between one process and one server: a proxy that can be cut, slowed and made
//! half-open.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// The bytes that are carried at once.
const CHUNK: usize = 16 * 1024;

/// Pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The condition of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Bytes pass in both directions.
    Open,
    /// Connections are closed, and new ones are closed at once.
    Cut,
    /// Each chunk is delayed by this much, in both directions.
    Slow(Duration),
    /// Requests arrive and their answers are lost, while connections stay open. They are closed
    /// when the link is in another condition again.
    HalfOpen,
}

/// A link, open at first. Dropping it closes its connections.
pub(super) struct Link {
    /// The address of the client's end.
    pub(super) address: SocketAddr,
    condition: watch::Sender<Condition>,
    _accepting: AbortOnDropHandle<()>,
}

/// The direction of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Requests,
    Answers,
}

impl Link {
    /// A link to a server.
    ///
    /// # Errors
    ///
    /// When no socket can be bound.
    pub(super) async fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (condition, watched) = watch::channel(Condition::Open);
        let accepting = tokio::spawn(accept(listener, server, watched));
        Ok(Self { address, condition, _accepting: AbortOnDropHandle::new(accepting) })
    }

    /// Puts the link into this condition.
    pub(super) fn set(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, condition: watch::Receiver<Condition>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(carry(client, server, condition.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "a link cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Carries one connection until one end closes it or the link does.
async fn carry(client: TcpStream, server: SocketAddr, condition: watch::Receiver<Condition>) {
    if *condition.borrow() == Condition::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    // Without a delay of small packets, which would be a fault of its own.
    drop(client.set_nodelay(true).and(server.set_nodelay(true)));
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    tokio::select! {
        _ = copy(client_reads, server_writes, &condition, Direction::Requests) => {}
        _ = copy(server_reads, client_writes, &condition, Direction::Answers) => {}
        () = closed(condition.clone()) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    condition: &watch::Receiver<Condition>,
    direction: Direction,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        let now = *condition.borrow();
        match now {
            Condition::Slow(delay) => tokio::time::sleep(delay).await,
            Condition::HalfOpen if direction == Direction::Answers => continue,
            Condition::Open | Condition::HalfOpen | Condition::Cut => {}
        }
        to.write_all(&chunk[..length]).await?;
    }
}

/// Completes when the link closes its connections: when it is cut, and after it was half-open,
/// because answers are missing from them.
async fn closed(mut condition: watch::Receiver<Condition>) {
    let mut was_half_open = false;
    loop {
        let now = *condition.borrow_and_update();
        match now {
            Condition::Cut => return,
            Condition::HalfOpen => was_half_open = true,
            Condition::Open | Condition::Slow(_) if was_half_open => return,
            Condition::Open | Condition::Slow(_) => {}
        }
        if condition.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(200);

    /// A server that answers each byte with the same byte, and counts them.
    async fn echo() -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    while let Ok(byte) = stream.read_u8().await {
                        counted.fetch_add(1, SeqCst);
                        stream.write_u8(byte).await.unwrap();
                    }
                });
            }
        });
        (address, count)
    }

    async fn ask(client: &mut TcpStream) -> Option<io::Result<u8>> {
        client.write_u8(7).await.unwrap();
        timeout(MOMENT, client.read_u8()).await.ok()
    }

    #[tokio::test]
    async fn an_open_link_carries_bytes_and_a_slow_one_delays_them() {
        let link = Link::to(echo().await.0).await.unwrap();
        let mut client = TcpStream::connect(link.address).await.unwrap();
        assert_eq!(ask(&mut client).await.unwrap().unwrap(), 7);
        link.set(Condition::Slow(Duration::from_millis(40)));
        let began = Instant::now();
        assert_eq!(ask(&mut client).await.unwrap().unwrap(), 7);
        assert!(began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_cut_link_closes_old_and_new_connections_until_it_is_open_again() {
        let link = Link::to(echo().await.0).await.unwrap();
        let mut client = TcpStream::connect(link.address).await.unwrap();
        assert_eq!(ask(&mut client).await.unwrap().unwrap(), 7);
        link.set(Condition::Cut);
        assert!(timeout(MOMENT, client.read_u8()).await.unwrap().is_err());
        let mut late = TcpStream::connect(link.address).await.unwrap();
        assert!(timeout(MOMENT, late.read_u8()).await.unwrap().is_err());
        link.set(Condition::Open);
        let mut client = TcpStream::connect(link.address).await.unwrap();
        assert_eq!(ask(&mut client).await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_half_open_link_delivers_requests_and_loses_answers() {
        let (address, count) = echo().await;
        let link = Link::to(address).await.unwrap();
        let mut client = TcpStream::connect(link.address).await.unwrap();
        assert_eq!(ask(&mut client).await.unwrap().unwrap(), 7);
        link.set(Condition::HalfOpen);
        assert!(ask(&mut client).await.is_none(), "the connection stays open without an answer");
        assert_eq!(count.load(SeqCst), 2, "the server carried the request out");
        link.set(Condition::Open);
        assert!(timeout(MOMENT, client.read_u8()).await.unwrap().is_err());
    }
}
