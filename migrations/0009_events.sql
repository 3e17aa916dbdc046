-- Messages, and changes of what is there, share the numbers of their conversation.

ALTER TABLE events RENAME TO messages;
-- The table says it.
ALTER TABLE messages DROP COLUMN kind;
ALTER TABLE messages RENAME CONSTRAINT events_pkey TO messages_pkey;
ALTER TABLE messages RENAME CONSTRAINT events_seq TO messages_seq;
-- A client id names one message of a conversation: what belongs together is found
-- wherever the conversation is, should they ever be divided over several databases.
ALTER TABLE messages
    DROP CONSTRAINT events_client_key,
    ADD CONSTRAINT messages_client_key UNIQUE (client_id, sender_id, conversation_id);

-- The number of the last message, which `last_at` is the time of, and that of the last
-- change, 0 without any: one of them is the last event.
ALTER TABLE conversations
    ADD COLUMN last_message_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_change_seq bigint NOT NULL DEFAULT 0;
UPDATE conversations SET last_message_seq = last_seq WHERE last_seq > 0;
ALTER TABLE conversations
    DROP CONSTRAINT conversations_last,
    ADD CONSTRAINT conversations_last CHECK (
        0 <= last_message_seq AND 0 <= last_change_seq AND last_seq = greatest(last_message_seq, last_change_seq)
        AND (last_message_seq = 0) = (last_at IS NULL)
    );

-- Every event that is no message. What it has changed is kept where it belongs; this
-- is how those who were away learn of it.
CREATE TABLE changes (
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    -- What is changed, as on the wire (docs/protocol.md): `kind`, and what else that kind has.
    content jsonb NOT NULL,
    sender_id uuid NOT NULL,
    client_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT changes_pkey PRIMARY KEY (conversation_id, seq),
    CONSTRAINT changes_seq CHECK (seq > 0),
    CONSTRAINT changes_kind CHECK (content ? 'kind'),
    CONSTRAINT changes_client_key UNIQUE (client_id, sender_id, conversation_id)
    -- No foreign keys, like the messages.
);

-- The messages that are pinned.
CREATE TABLE pins (
    conversation_id uuid NOT NULL,
    message_seq bigint NOT NULL,
    -- The change that pinned it: who and when are there.
    change_seq bigint NOT NULL,
    CONSTRAINT pins_pkey PRIMARY KEY (conversation_id, message_seq),
    CONSTRAINT pins_conversation_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
