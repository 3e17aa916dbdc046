use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A log that is full is kept once beside the new one.
const LOG_MAX_BYTES: u64 = 1 << 20;
/// How much of the end is searched for the reason of a failure.
const TAIL_MAX_BYTES: usize = 4096;

/// PostgreSQL's own log in the data directory: at most two files of 1 MiB. Where
/// it cannot be written, PostgreSQL runs all the same.
pub struct BoundedLog {
    path: PathBuf,
    /// None while it cannot be opened.
    file: Option<File>,
    size: u64,
    tail: Vec<u8>,
}

impl BoundedLog {
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, size: 0, tail: Vec::new() }
    }

    /// Writes down what `source` says until it ends; gives back the reason that
    /// a failing PostgreSQL gave last.
    pub fn follow(mut self, mut source: impl Read) -> Option<String> {
        let mut buffer = [0; 8192];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return self.reason(),
                Ok(length) => self.append(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.reason(),
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_MAX_BYTES));
        if let Err(error) = self.write(bytes) {
            // On a full disk PostgreSQL must still be read, or it would stand still.
            tracing::debug!(%error, "PostgreSQL's log is not written");
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.size >= LOG_MAX_BYTES {
            self.file = None;
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
                self.size = file.metadata()?.len();
                file
            }
        };
        let file = self.file.insert(file);
        file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn reason(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        let line = text.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:"))?;
        line.split_once(": ").map(|(_, reason)| reason.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_fatal_line() {
        let directory = tempfile::tempdir().unwrap();
        let log = BoundedLog::new(directory.path().join("postgres.log"));
        let said =
            "1 UTC [7] LOG:  starting\n1 UTC [7] FATAL:  lock file \"x\" exists\n1 UTC [7] LOG:  end\n";
        assert_eq!(log.follow(said.as_bytes()).as_deref(), Some("lock file \"x\" exists"));
        assert_eq!(std::fs::read_to_string(directory.path().join("postgres.log")).unwrap(), said);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_read_all_the_same() {
        let log = BoundedLog::new("/nowhere/postgres.log".into());
        assert_eq!(log.follow(&b"1 UTC [7] FATAL:  no\n"[..]).as_deref(), Some("no"));
    }

    #[test]
    fn the_log_does_not_grow_beyond_two_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("postgres.log");
        for _ in 0..3 {
            let log = BoundedLog::new(path.clone());
            log.follow(io::repeat(b'x').take(2 * LOG_MAX_BYTES));
        }
        let sizes: Vec<u64> = directory
            .path()
            .read_dir()
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|size| *size <= LOG_MAX_BYTES + 8192), "{sizes:?}");
    }
}
