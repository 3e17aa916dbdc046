-- Users, their sessions, conversations with members and the log.
-- Times are for people; order is in `seq` alone.

-- Names this history. A restored backup gets a new one, and clients then
-- load afresh instead of mixing two histories.
CREATE TABLE epoch (
    id uuid NOT NULL,
    -- Where it was issued: pg_control_system() and pg_control_checkpoint().
    system_identifier bigint NOT NULL,
    timeline integer NOT NULL,
    single boolean NOT NULL DEFAULT true,
    CONSTRAINT epoch_pkey PRIMARY KEY (single),
    CONSTRAINT epoch_is_one CHECK (single)
);

CREATE TABLE users (
    id uuid NOT NULL,
    name text NOT NULL,
    -- The name's normal form, by which names are the same.
    name_key text COLLATE "C" NOT NULL,
    -- What the name looks like (UTS #39 skeleton): two that look the same are one.
    look_alike text COLLATE "C" NOT NULL,
    -- A PHC string (argon2id), where the user has set a password.
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_name_key UNIQUE (name_key),
    CONSTRAINT users_look_alike_key UNIQUE (look_alike)
);

CREATE TABLE sessions (
    -- SHA-256 of the secret: a stolen table opens nothing.
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX sessions_expiry_idx ON sessions (expires_at);

CREATE TABLE conversations (
    id uuid NOT NULL,
    -- The pair of a direct conversation, smaller id first; groups have none.
    direct_low uuid,
    direct_high uuid,
    last_seq bigint NOT NULL DEFAULT 0,
    -- When the last event was stored: the order of the list.
    last_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT conversations_pkey PRIMARY KEY (id),
    CONSTRAINT conversations_direct_key UNIQUE (direct_low, direct_high),
    CONSTRAINT conversations_direct_order CHECK ((direct_low IS NULL) = (direct_high IS NULL) AND direct_low < direct_high),
    CONSTRAINT conversations_last CHECK (last_seq >= 0 AND (last_seq = 0) = (last_at IS NULL))
-- Every message updates its conversation's row: leave room to do it in place.
) WITH (fillfactor = 70);

CREATE TABLE members (
    conversation_id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- Positions in the log; both only grow.
    delivered_seq bigint NOT NULL DEFAULT 0,
    read_seq bigint NOT NULL DEFAULT 0,
    CONSTRAINT members_pkey PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT members_conversation_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT members_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT members_positions CHECK (0 <= read_seq AND read_seq <= delivered_seq)
) WITH (fillfactor = 70);
CREATE INDEX members_user_idx ON members (user_id);

-- The log: everything in a conversation is an event at a dense place.
CREATE TABLE events (
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind smallint NOT NULL DEFAULT 1,
    sender_id uuid NOT NULL,
    -- The sender's own name for it: the same one is the same event, for ever.
    client_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    body text NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (conversation_id, seq),
    CONSTRAINT events_seq CHECK (seq > 0),
    CONSTRAINT events_client_key UNIQUE (sender_id, client_id)
    -- No foreign keys: they made large batches five times slower. Only members
    -- append, which the same statement checks, and the rows of members have
    -- the foreign keys.
);
