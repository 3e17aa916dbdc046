-- Where pushes go for people without a socket, and the key that signs them.

CREATE TABLE push_subscriptions (
    -- An address at a push service. Whoever knows it can send there.
    endpoint text COLLATE "C" NOT NULL,
    -- It ends with the session of the browser that gave it.
    session_hash bytea NOT NULL,
    -- The session's user: who has none is found without a look at the sessions.
    user_id uuid NOT NULL,
    -- What pushes are encrypted with (RFC 8291 §2).
    p256dh bytea NOT NULL,
    auth bytea NOT NULL,
    -- When the browser gave it last: the oldest of a user's makes room.
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT push_subscriptions_pkey PRIMARY KEY (endpoint),
    CONSTRAINT push_subscriptions_session_fkey FOREIGN KEY (session_hash)
        REFERENCES sessions (token_hash) ON DELETE CASCADE,
    CONSTRAINT push_subscriptions_keys CHECK (octet_length(p256dh) = 65 AND octet_length(auth) = 16)
);
CREATE INDEX push_subscriptions_session_idx ON push_subscriptions (session_hash);
CREATE INDEX push_subscriptions_user_idx ON push_subscriptions (user_id, created_at);

-- The private key (RFC 8292) that browsers have subscribed to, where the
-- settings give none. It is of use only together with the table above.
CREATE TABLE push_key (
    scalar bytea NOT NULL,
    single boolean NOT NULL DEFAULT true,
    CONSTRAINT push_key_pkey PRIMARY KEY (single),
    CONSTRAINT push_key_is_one CHECK (single),
    CONSTRAINT push_key_length CHECK (octet_length(scalar) = 32)
);
