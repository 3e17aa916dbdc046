//! Choices at random that a printed number repeats.

use std::sync::LazyLock;
use std::time::Duration;

/// Repeats the choices of the run that printed it.
const VARIABLE: &str = "TIDINGS_TEST_SEED";

static SEED: LazyLock<u64> = LazyLock::new(|| {
    let given = std::env::var(VARIABLE).ok();
    given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a seed is a number"))
});

/// One stream of choices.
#[derive(Clone, Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// The stream of this name; printed, so that a failure can be repeated.
    pub fn new(name: &str) -> Self {
        eprintln!("{name}: {VARIABLE}={}", *SEED);
        let name = name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Self(fastrand::Rng::with_seed(*SEED ^ name))
    }

    /// A stream for somebody else, which does not depend on when it is used.
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// Less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    pub fn within(&mut self, from: Duration, to: Duration) -> Duration {
        from + (to - from).mul_f64(self.share())
    }
}
