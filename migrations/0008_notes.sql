-- A direct conversation may be one with oneself, for notes.

ALTER TABLE conversations
    DROP CONSTRAINT conversations_direct_order,
    ADD CONSTRAINT conversations_direct_order
        CHECK ((direct_low IS NULL) = (direct_high IS NULL) AND direct_low <= direct_high);
