use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection whose peer must read what it is sent. When the kernel has accepted
/// nothing for a while, because the peer reads nothing, the connection is reset. That
/// frees what waited for the peer, here and in the kernel.
pub struct WriteTimeout {
    stream: TcpStream,
    timeout: Duration,
    /// Set while the kernel accepts nothing.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl WriteTimeout {
    pub fn new(stream: TcpStream, timeout: Duration) -> Self {
        Self { stream, timeout, deadline: None }
    }

    /// The stream, without the time-out.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn progress(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(cx));
        // Otherwise the kernel would go on trying to send what it has.
        if let Err(error) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "a connection cannot be reset");
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.progress(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(300);

    async fn pair() -> (WriteTimeout, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) =
            futures::join!(listener.accept(), TcpStream::connect(listener.local_addr().unwrap()));
        (WriteTimeout::new(near.unwrap().0, TIMEOUT), far.unwrap())
    }

    /// More than the kernel takes for a peer that reads nothing.
    const ENDLESS: usize = 64 * 1024 * 1024;

    #[tokio::test]
    async fn c07_a_peer_that_takes_nothing_is_reset() {
        let (mut near, mut far) = pair().await;
        let started = Instant::now();
        let error = near.write_all(&vec![7; ENDLESS]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= TIMEOUT);
        drop(near);
        let mut read = Vec::new();
        let error = far.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(read.len() < ENDLESS);
    }

    #[tokio::test]
    async fn a_peer_that_takes_little_at_a_time_is_given_all() {
        let (mut near, mut far) = pair().await;
        let started = Instant::now();
        let writing = async {
            near.write_all(&vec![7; ENDLESS]).await.unwrap();
            near.shutdown().await.unwrap();
        };
        let reading = async {
            let mut piece = vec![0; ENDLESS / 16];
            let mut taken = 0;
            loop {
                sleep(TIMEOUT / 6).await;
                // All of a piece, or the end.
                match far.read_exact(&mut piece).await {
                    Ok(read) => taken += read,
                    Err(_) => return taken,
                }
            }
        };
        assert_eq!(futures::join!(writing, reading).1, ENDLESS);
        assert!(started.elapsed() > 2 * TIMEOUT, "longer than the time-out altogether");
    }
}
