use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::metrics;

/// Lines that wait to be written; those beyond are lost, and counted.
const QUEUE_LINES: usize = 1024;

/// How long the end of the program waits for a log that is not taken.
const FLUSH_PATIENCE: Duration = Duration::from_secs(1);

/// How often a full queue is looked at by who must wait for it.
const POLL: Duration = Duration::from_millis(5);

enum Item {
    Line(Vec<u8>),
    /// To be told when everything before it is written.
    Flush(SyncSender<()>),
}

/// Where log lines go: to a thread, which writes them to standard error. A disk
/// that is full, a reader that has gone or does not read costs lines, and never
/// an error, a panic or a wait of who logs.
#[derive(Clone)]
pub struct LogSink {
    queue: SyncSender<Item>,
    lost: Arc<AtomicU64>,
}

impl LogSink {
    /// A thread that writes to standard error.
    pub fn standard_error() -> io::Result<Self> {
        Self::start(io::stderr())
    }

    fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        thread::Builder::new().name("log".into()).spawn(move || write_all(&lines, output, &counted))?;
        Ok(Self { queue, lost })
    }

    /// Logs a line as it is.
    pub fn say(&self, line: &str) {
        self.take(format!("{line}\n").into_bytes());
    }

    fn take(&self, line: Vec<u8>) {
        if self.queue.try_send(Item::Line(line)).is_err() {
            note_lost(&self.lost);
        }
    }

    /// Waits until what has been logged is written, or a second.
    pub fn flush(&self) {
        let begun = Instant::now();
        let (done, written) = sync_channel(1);
        let mut item = Item::Flush(done);
        while let Err(TrySendError::Full(back)) = self.queue.try_send(item) {
            if begun.elapsed() > FLUSH_PATIENCE {
                return;
            }
            item = back;
            thread::sleep(POLL);
        }
        // What is not written by then is lost with the process.
        let _ = written.recv_timeout(FLUSH_PATIENCE.saturating_sub(begun.elapsed()));
    }
}

/// Until nobody is left who could log.
fn write_all(lines: &Receiver<Item>, mut output: impl Write, lost: &AtomicU64) {
    for item in lines {
        match item {
            Item::Line(line) if output.write_all(&line).is_ok() => tell_lost(lost),
            Item::Line(_) => note_lost(lost),
            // Who asked may have stopped waiting.
            Item::Flush(done) => drop(done.try_send(())),
        }
    }
}

fn note_lost(lost: &AtomicU64) {
    lost.fetch_add(1, Ordering::Relaxed);
    metrics::log_line_lost();
}

/// Once lines are taken again.
fn tell_lost(lost: &AtomicU64) {
    let count = lost.swap(0, Ordering::Relaxed);
    if count > 0 {
        tracing::warn!(count, "lines of this log could not be written and are lost");
    }
}

/// Takes one event's line.
pub struct LineWriter<'a>(&'a LogSink);

impl<'a> MakeWriter<'a> for LogSink {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

impl Write for LineWriter<'_> {
    /// Always succeeds: who logs can do nothing about it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line.to_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing until it is told to, like a pipe that nobody reads.
    #[derive(Clone, Default)]
    struct Output {
        written: Arc<Mutex<Vec<u8>>>,
        closed: Arc<Mutex<()>>,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open = self.closed.lock().unwrap();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_beyond_the_queue_are_lost_and_nobody_waits() {
        let output = Output::default();
        let closed = output.closed.lock().unwrap();
        let sink = LogSink::start(output.clone()).unwrap();
        for _ in 0..2 * QUEUE_LINES {
            sink.make_writer().write_all(b"line\n").unwrap();
        }
        let lost = sink.lost.load(Ordering::Relaxed) as usize;
        assert!((QUEUE_LINES - 1..=QUEUE_LINES).contains(&lost), "{lost}");
        drop(closed);
        sink.flush();
        assert_eq!(output.written.lock().unwrap().len(), (2 * QUEUE_LINES - lost) * b"line\n".len());
    }
}
