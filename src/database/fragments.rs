//! Conditions and counts that several statements share: each rule is written once.

/// The number of unread messages of a user in a conversation: those of others after
/// a position, counted among the newest `$scan`, so that what is read is bounded
/// however long somebody was away. Only messages count: they have a table of their own.
macro_rules! unread {
    ($conversation:literal, $user:literal, $position:literal, $scan:literal) => {
        concat!(
            "(SELECT count(*) FROM (
        SELECT sender_id FROM messages
        WHERE conversation_id = ",
            $conversation,
            " AND seq > ",
            $position,
            " ORDER BY seq DESC LIMIT ",
            $scan,
            "
    ) newest WHERE sender_id <> ",
            $user,
            ")"
        )
    };
}

/// Whether a user belongs to the audience of a conversation: `domain::may(role, Read)`.
macro_rules! may_read {
    ($conversation:literal, $user:literal) => {
        concat!(
            "EXISTS (SELECT FROM members WHERE conversation_id = ",
            $conversation,
            " AND user_id = ",
            $user,
            ")"
        )
    };
}

/// When the event with a number was stored.
macro_rules! stored_at {
    ($conversation:literal, $seq:literal) => {
        concat!(
            "coalesce((SELECT created_at FROM messages WHERE conversation_id = ",
            $conversation,
            " AND seq = ",
            $seq,
            "), (SELECT created_at FROM changes WHERE conversation_id = ",
            $conversation,
            " AND seq = ",
            $seq,
            "))"
        )
    };
}

pub(super) use {may_read, stored_at, unread};
