use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes of a client's frame besides its payload, at least: two of the
/// head, four of the mask (RFC 6455 §5.2).
const HEAD_BYTES: usize = 6;

/// A stream that breaks off when a message does not end.
///
/// The library bounds what a message holds, not what it takes: fragments may be
/// empty, and it reads them for as long as they come.
pub struct Metered<S> {
    stream: S,
    /// Read since the last whole message.
    taken: usize,
    limit: usize,
}

/// The message takes more than one that is sent byte by byte.
#[derive(Debug, thiserror::Error)]
#[error("a message has too many fragments")]
pub struct Endless;

impl<S> Metered<S> {
    /// For messages of up to `message_max` bytes, each of which may come in a
    /// fragment of its own.
    pub fn new(stream: S, message_max: usize) -> Self {
        Self { stream, taken: 0, limit: message_max.saturating_mul(HEAD_BYTES + 1) }
    }

    /// A message is whole.
    pub fn restart(&mut self) {
        self.taken = 0;
    }

    /// A ping or pong has been read; it may stand between two fragments.
    pub fn pass(&mut self, payload: usize) {
        self.taken = self.taken.saturating_sub(HEAD_BYTES + payload);
    }

    /// The stream, to be read without a bound.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken > self.limit {
            return Poll::Ready(Err(io::Error::other(Endless)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.taken += buffer.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
