-- What people are found by: every word of their name, without case and accents.

CREATE TABLE search_terms (
    -- The folded name from one of its words on, then the name's key (`domain::search`).
    term text COLLATE "C" NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT search_terms_pkey PRIMARY KEY (term),
    CONSTRAINT search_terms_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
-- Somebody with two words that match is found once.
CREATE INDEX search_terms_user_idx ON search_terms (user_id, term);
