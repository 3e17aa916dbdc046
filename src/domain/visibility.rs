/// Whether a user wants to be seen by others, as the number of times that this
/// has changed: odd while invisible. So of two choices the greater number is the
/// newer one, in whatever order they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visibility(pub u64);

impl Visibility {
    pub fn is_invisible(self) -> bool {
        self.0 % 2 == 1
    }
}
