-- Sessions that can be listed and ended one by one, and the key of derived ids.

ALTER TABLE sessions
    -- Names the session for as long as it lasts, whatever its secret is.
    ADD COLUMN id bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    -- Exact to the day: a request writes it once a day.
    ADD COLUMN used_at timestamptz NOT NULL DEFAULT now(),
    -- What logged in, in a word each ("Firefox", "Linux"); null where it did not say.
    ADD COLUMN browser text,
    ADD COLUMN system text,
    ADD CONSTRAINT sessions_id_key UNIQUE (id);

-- A new password gives the session a new secret; its subscription stays.
ALTER TABLE push_subscriptions
    DROP CONSTRAINT push_subscriptions_session_fkey,
    ADD CONSTRAINT push_subscriptions_session_fkey FOREIGN KEY (session_hash)
        REFERENCES sessions (token_hash) ON UPDATE CASCADE ON DELETE CASCADE;

-- What ids are derived with that others must not be able to guess.
CREATE TABLE server_key (
    secret bytea NOT NULL,
    single boolean NOT NULL DEFAULT true,
    CONSTRAINT server_key_pkey PRIMARY KEY (single),
    CONSTRAINT server_key_is_one CHECK (single),
    CONSTRAINT server_key_length CHECK (octet_length(secret) = 32)
);

-- What a newer server has done to the data of older ones, once.
CREATE TABLE upgrades (
    name text COLLATE "C" NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT upgrades_pkey PRIMARY KEY (name)
);
