/// What a user is in a conversation. Somebody who has no role there must not learn
/// that it exists: whatever they ask is answered as for a conversation that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Member,
}

/// What somebody can do in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read its messages, and see who is in it and how far they have got.
    Read,
    /// Send messages.
    Write,
    /// Pin messages, and take pins off.
    Pin,
    /// Say how far messages were delivered and read.
    MarkPosition,
    /// Say that they are typing.
    ShowTyping,
}

/// Whether somebody with this role in a conversation may do this there.
///
/// The statements that send, read and mark check membership themselves, where it
/// costs no query of its own. Their comments name this function; change them
/// together.
pub fn may(role: Option<Role>, action: Action) -> bool {
    match (role, action) {
        (None, _) => false,
        (
            Some(Role::Member),
            Action::Read | Action::Write | Action::Pin | Action::MarkPosition | Action::ShowTyping,
        ) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_may_do_everything_and_nobody_else_anything() {
        use Action::{MarkPosition, Pin, Read, ShowTyping, Write};
        for (role, allowed) in
            [(None, &[][..]), (Some(Role::Member), &[Read, Write, Pin, MarkPosition, ShowTyping])]
        {
            for action in [Read, Write, Pin, MarkPosition, ShowTyping] {
                assert_eq!(may(role, action), allowed.contains(&action), "{role:?} {action:?}");
            }
        }
    }
}
