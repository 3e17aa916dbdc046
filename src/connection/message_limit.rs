use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The minimum overhead of a client's frame: two bytes of header and four of mask
/// (RFC 6455 §5.2).
const HEAD_BYTES: usize = 6;

/// A stream whose reads fail if a message has too many fragments.
///
/// The library limits the size of a message, not its number of fragments: they may
/// be empty, and it reads them for as long as they come.
pub struct MessageLimit<S> {
    stream: S,
    /// Read since the last whole message.
    taken: usize,
    limit: usize,
}

/// The message takes more bytes than one that is sent byte by byte.
#[derive(Debug, thiserror::Error)]
#[error("a message has too many fragments")]
pub struct TooManyFragments;

impl<S> MessageLimit<S> {
    /// For messages of up to `message_max` bytes, each of which may come in a
    /// fragment of its own.
    pub fn new(stream: S, message_max: usize) -> Self {
        Self { stream, taken: 0, limit: message_max.saturating_mul(HEAD_BYTES + 1) }
    }

    /// A message is complete. Returns how many bytes were read since the last one.
    pub fn restart(&mut self) -> usize {
        std::mem::take(&mut self.taken)
    }

    /// Does not count a ping or pong, which may come between two fragments.
    pub fn exclude(&mut self, payload: usize) {
        self.taken = self.taken.saturating_sub(HEAD_BYTES + payload);
    }

    /// The stream, to be read without a limit.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MessageLimit<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken > self.limit {
            return Poll::Ready(Err(io::Error::other(TooManyFragments)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.taken += buffer.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MessageLimit<S> {
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
