use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The state of a cluster, which it records in `global/pg_control` beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// What was not written before a crash, or a backup, is being caught up on.
    Recovering,
    /// It serves.
    Running,
    /// It writes down what there is, and ends, or has ended.
    ShuttingDown,
}

/// Where the state is in that file; it has been there since PostgreSQL 8.
const STATE_OFFSET: usize = 16;

impl ClusterState {
    /// Returns `None` if there is no cluster.
    pub fn read(data: &Path) -> Option<Self> {
        let mut start = [0; STATE_OFFSET + 4];
        File::open(data.join("global/pg_control")).ok()?.read_exact(&mut start).ok()?;
        Self::parse(start.last_chunk()?)
    }

    /// PostgreSQL's `DBState` (`catalog/pg_control.h`).
    fn parse(state: &[u8; 4]) -> Option<Self> {
        match u32::from_ne_bytes(*state) {
            0 | 4 | 5 => Some(Self::Recovering),
            1..=3 => Some(Self::ShuttingDown),
            6 => Some(Self::Running),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_the_fifth_word_of_the_file() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(ClusterState::read(data.path()), None);
        std::fs::create_dir(data.path().join("global")).unwrap();
        for (word, state) in [
            (0, Some(ClusterState::Recovering)),
            (3, Some(ClusterState::ShuttingDown)),
            (4, Some(ClusterState::Recovering)),
            (6, Some(ClusterState::Running)),
            (7, None),
        ] {
            let words: Vec<u8> = [9, 9, 9, 9, word, 9].into_iter().flat_map(u32::to_ne_bytes).collect();
            std::fs::write(data.path().join("global/pg_control"), words).unwrap();
            assert_eq!(ClusterState::read(data.path()), state, "{word}");
        }
    }
}
