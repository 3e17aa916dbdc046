use std::cell::Cell;
use std::io;
use std::mem::{MaybeUninit, take};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is taken from the kernel at once, at the most.
const AHEAD_BYTES: usize = 4 * 1024;

/// What is gathered for the kernel before it is given it without a flush.
const BEHIND_BYTES: usize = 16 * 1024;

thread_local! {
    /// For whoever writes next on this thread. It is back here before anybody
    /// else is polled, unless the kernel takes no more.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream that is read and written in bursts, however small the pieces, and
/// that keeps no buffer between them.
///
/// The library has buffers of its own for as long as the socket is there: so
/// they hold one small frame, and a socket that was busy once costs no more than
/// others.
pub struct Bursts<S> {
    stream: S,
    /// Read and not yet asked for.
    ahead: Bytes,
    /// Written and not yet flushed.
    behind: Vec<u8>,
    /// How much of it the kernel has.
    out: usize,
}

impl<S> Bursts<S> {
    /// `ahead`: what was read of the stream before.
    pub fn new(stream: S, ahead: Bytes) -> Self {
        Self { stream, ahead, behind: Vec::new(), out: 0 }
    }
}

impl<S: AsyncWrite + Unpin> Bursts<S> {
    /// Gives the kernel all that was gathered.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out < self.behind.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.behind[self.out..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out += written;
        }
        self.out = 0;
        let mut spare = take(&mut self.behind);
        // One large frame leaves no large buffer.
        if (1..=2 * BEHIND_BYTES).contains(&spare.capacity()) {
            spare.clear();
            SPARE.set(spare);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bursts<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            let mut scratch = [const { MaybeUninit::uninit() }; AHEAD_BYTES];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scratch))?;
            let read = scratch.filled();
            let (now, later) = read.split_at(read.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.ahead = Bytes::copy_from_slice(later);
        } else {
            let now = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(now));
            if self.ahead.is_empty() {
                self.ahead = Bytes::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bursts<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.behind.len() >= BEHIND_BYTES {
            ready!(self.poll_out(cx))?;
        }
        if self.behind.capacity() == 0 {
            self.behind = SPARE.take();
        }
        self.behind.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
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
        let mut bursts = Bursts::new(stream, Bytes::copy_from_slice(&sent[..3]));
        let (mut received, mut piece) = (Vec::new(), [0; 100]);
        loop {
            match bursts.read(&mut piece).await.unwrap() {
                0 => break,
                read => received.extend_from_slice(&piece[..read]),
            }
        }
        assert_eq!(received, sent);
        assert!(bursts.ahead.is_empty());
    }

    #[tokio::test]
    async fn pieces_are_written_at_once_when_flushed_and_leave_no_buffer() {
        let (mut peer, stream) = duplex(64 * 1024);
        let mut bursts = Bursts::new(stream, Bytes::new());
        for piece in [&b"one "[..], b"two ", b"three"] {
            bursts.write_all(piece).await.unwrap();
        }
        assert!(futures::FutureExt::now_or_never(peer.read_u8()).is_none(), "nothing before the flush");
        bursts.flush().await.unwrap();
        assert_eq!(bursts.behind.capacity(), 0);
        drop(bursts);
        let mut received = String::new();
        peer.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "one two three");
    }

    #[tokio::test]
    async fn the_buffer_goes_to_who_writes_next_unless_it_is_large() {
        let (_peer, stream) = duplex(256 * 1024);
        let mut bursts = Bursts::new(stream, Bytes::new());
        bursts.write_all(&[7; 500]).await.unwrap();
        bursts.flush().await.unwrap();
        bursts.flush().await.unwrap();
        assert!((500..=2 * BEHIND_BYTES).contains(&SPARE.take().capacity()));
        bursts.write_all(&[7; 100_000]).await.unwrap();
        bursts.flush().await.unwrap();
        assert_eq!(SPARE.take().capacity(), 0);
    }

    /// What waits is bounded, and whoever writes waits instead.
    #[tokio::test]
    async fn a_peer_that_takes_nothing_holds_up_who_writes() {
        let (mut peer, stream) = duplex(1_000);
        let mut bursts = Bursts::new(stream, Bytes::new());
        let writing = async {
            for _ in 0..100 {
                bursts.write_all(&[7; 500]).await.unwrap();
            }
            bursts.shutdown().await.unwrap();
        };
        let mut writing = Box::pin(writing);
        assert!(futures::poll!(&mut writing).is_pending());
        let mut received = Vec::new();
        let ((), read) = futures::join!(writing, peer.read_to_end(&mut received));
        assert_eq!((read.unwrap(), received), (50_000, vec![7; 50_000]));
        assert!(bursts.behind.len() < BEHIND_BYTES + 500);
    }
}
