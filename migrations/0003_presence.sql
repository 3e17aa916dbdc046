-- When people were last here, and who does not want to be seen.

ALTER TABLE users
    -- When last online; not that of now while online, nor while invisible.
    ADD COLUMN last_seen_at timestamptz,
    -- How often the user has become invisible or visible again: odd while
    -- invisible. The greater of two numbers is the newer choice.
    ADD COLUMN visibility bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT users_visibility CHECK (visibility >= 0),
    -- Once a minute of everyone online: leave room to do it in place.
    SET (fillfactor = 70);

ALTER TABLE members
    -- While the user's `visibility` is this (and odd), others are shown the two
    -- positions that follow, which were the true ones when it became so.
    ADD COLUMN frozen_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN shown_delivered_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN shown_read_seq bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT members_shown CHECK (
        0 <= shown_read_seq AND shown_read_seq <= shown_delivered_seq AND shown_delivered_seq <= delivered_seq
    );
