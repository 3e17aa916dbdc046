-- Client ids grow with the time (UUIDv7), senders do not: with the id first, what
-- is new comes at the end of the index, and few of its pages are in use.
ALTER TABLE events
    DROP CONSTRAINT events_client_key,
    ADD CONSTRAINT events_client_key UNIQUE (client_id, sender_id);
