-- Whether somebody is in a conversation is found by one row of either index.
DROP INDEX members_user_idx;
CREATE INDEX members_user_idx ON members (user_id, conversation_id);
