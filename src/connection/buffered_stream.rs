use std::cell::Cell;
use std::io;
use std::mem::{MaybeUninit, take};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The maximum that is read from the kernel at once.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// How much is buffered before it is written without a flush.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

thread_local! {
    /// The write buffer of this thread. It is back here before another task is
    /// polled, unless the kernel takes no more.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream that buffers reads and writes, and keeps no buffer while it is idle.
///
/// The library keeps its own buffers for as long as the socket is open. With this
/// stream below they can be small, and a socket that was busy once costs no more
/// than others.
pub struct BufferedStream<S> {
    stream: S,
    /// Read from the kernel, and not yet by the caller.
    read_buffer: Bytes,
    /// Written by the caller, and not yet to the kernel.
    write_buffer: Vec<u8>,
    /// How much of `write_buffer` the kernel has.
    flushed: usize,
}

impl<S> BufferedStream<S> {
    /// `read_buffer`: what has already been read from the stream.
    pub fn new(stream: S, read_buffer: Bytes) -> Self {
        Self { stream, read_buffer, write_buffer: Vec::new(), flushed: 0 }
    }
}

impl<S: AsyncWrite + Unpin> BufferedStream<S> {
    /// Writes the whole buffer to the kernel.
    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.flushed < self.write_buffer.len() {
            let written =
                ready!(Pin::new(&mut self.stream).poll_write(cx, &self.write_buffer[self.flushed..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.flushed += written;
        }
        self.flushed = 0;
        let mut spare = take(&mut self.write_buffer);
        // One large frame leaves no large buffer.
        if (1..=2 * WRITE_BUFFER_BYTES).contains(&spare.capacity()) {
            spare.clear();
            SPARE.set(spare);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for BufferedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_buffer.is_empty() {
            let mut scratch = [const { MaybeUninit::uninit() }; READ_BUFFER_BYTES];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scratch))?;
            let read = scratch.filled();
            let (now, later) = read.split_at(read.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.read_buffer = Bytes::copy_from_slice(later);
        } else {
            let now = self.read_buffer.len().min(buffer.remaining());
            buffer.put_slice(&self.read_buffer.split_to(now));
            if self.read_buffer.is_empty() {
                self.read_buffer = Bytes::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BufferedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_buffer.len() >= WRITE_BUFFER_BYTES {
            ready!(self.poll_write_out(cx))?;
        }
        if self.write_buffer.capacity() == 0 {
            self.write_buffer = SPARE.take();
        }
        self.write_buffer.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_read_ahead_comes_in_order_and_leaves_no_buffer() {
        let (mut peer, stream) = duplex(64 * 1024);
        let sent: Vec<u8> = (0..20_000u32).map(|n| n as u8).collect();
        peer.write_all(&sent[3..]).await.unwrap();
        drop(peer);
        let mut stream = BufferedStream::new(stream, Bytes::copy_from_slice(&sent[..3]));
        let (mut received, mut piece) = (Vec::new(), [0; 100]);
        loop {
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                read => received.extend_from_slice(&piece[..read]),
            }
        }
        assert_eq!(received, sent);
        assert!(stream.read_buffer.is_empty());
    }

    #[tokio::test]
    async fn pieces_are_written_at_once_when_flushed_and_leave_no_buffer() {
        let (mut peer, stream) = duplex(64 * 1024);
        let mut stream = BufferedStream::new(stream, Bytes::new());
        for piece in [&b"one "[..], b"two ", b"three"] {
            stream.write_all(piece).await.unwrap();
        }
        assert!(futures::FutureExt::now_or_never(peer.read_u8()).is_none(), "nothing before the flush");
        stream.flush().await.unwrap();
        assert_eq!(stream.write_buffer.capacity(), 0);
        drop(stream);
        let mut received = String::new();
        peer.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "one two three");
    }

    #[tokio::test]
    async fn the_buffer_goes_to_who_writes_next_unless_it_is_large() {
        let (_peer, stream) = duplex(256 * 1024);
        let mut stream = BufferedStream::new(stream, Bytes::new());
        stream.write_all(&[7; 500]).await.unwrap();
        stream.flush().await.unwrap();
        stream.flush().await.unwrap();
        assert!((500..=2 * WRITE_BUFFER_BYTES).contains(&SPARE.take().capacity()));
        stream.write_all(&[7; 100_000]).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(SPARE.take().capacity(), 0);
    }

    /// What waits is bounded, and whoever writes waits instead.
    #[tokio::test]
    async fn a_peer_that_takes_nothing_holds_up_who_writes() {
        let (mut peer, stream) = duplex(1_000);
        let mut stream = BufferedStream::new(stream, Bytes::new());
        let writing = async {
            for _ in 0..100 {
                stream.write_all(&[7; 500]).await.unwrap();
            }
            stream.shutdown().await.unwrap();
        };
        let mut writing = Box::pin(writing);
        assert!(futures::poll!(&mut writing).is_pending());
        let mut received = Vec::new();
        let ((), read) = futures::join!(writing, peer.read_to_end(&mut received));
        assert_eq!((read.unwrap(), received), (50_000, vec![7; 50_000]));
        assert!(stream.write_buffer.len() < WRITE_BUFFER_BYTES + 500);
    }
}
