use serde::{Deserialize, Serialize};

/// Whether a user is visible to others, as the version of that choice: it counts the
/// changes, and is odd while the user is invisible. So the greater of two versions is
/// the newer choice, in whatever order they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Visibility {
    version: u64,
}

impl Visibility {
    pub const fn from_version(version: u64) -> Self {
        Self { version }
    }

    pub fn version(self) -> u64 {
        self.version
    }

    pub fn is_invisible(self) -> bool {
        self.version % 2 == 1
    }

    /// The choice before this one; `None` if the user has never changed it.
    pub fn previous(self) -> Option<Self> {
        self.version.checked_sub(1).map(Self::from_version)
    }
}
