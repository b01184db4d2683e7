-- A message stands in its conversation where it was sent, or where it came if it claims to be from the future. The
-- sent timestamp stays its identity on the network. Messages of the same moment stand by what they claim.
ALTER TABLE messages ADD COLUMN sorted_at INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET sorted_at = min(timestamp, received_at);

DROP INDEX messages_page;
DROP INDEX messages_unread;
DROP INDEX messages_notices;
CREATE INDEX messages_page ON messages (conversation, sorted_at, timestamp, id);
CREATE INDEX messages_unread ON messages (conversation, sorted_at, timestamp) WHERE unread = 1;
CREATE INDEX messages_notices ON messages (conversation, author, sorted_at, timestamp) WHERE notice IS NOT NULL;

-- Those that a message from the future put on top for ever.
UPDATE conversations SET active_at = coalesce(
    (SELECT sorted_at FROM messages WHERE conversation = conversations.id
     ORDER BY sorted_at DESC, timestamp DESC, id DESC LIMIT 1), active_at)
WHERE active_at IN (SELECT timestamp FROM messages WHERE conversation = conversations.id AND sorted_at < timestamp);

-- Written before the network's time was known: what is to be sent has no final timestamp and no bytes yet. A message
-- is encoded from its row, everything else from the wish (JSON of `Wish`) kept here.
ALTER TABLE outbox ADD COLUMN undated INTEGER NOT NULL DEFAULT 0 CHECK (undated IN (0, 1));
ALTER TABLE outbox ADD COLUMN wish TEXT;
CREATE INDEX outbox_undated ON outbox (id) WHERE undated = 1;
CREATE INDEX outbox_without_message ON outbox (timestamp) WHERE message IS NULL;

-- Rows written before the network's time was known have 0 for when they came.
CREATE INDEX messages_undated ON messages (id) WHERE received_at = 0;
-- Countdowns that could not begin for the same reason.
CREATE INDEX messages_uncounted ON messages (id)
    WHERE expires_at IS NULL AND expiry_mode <> 0 AND unread = 0 AND state IN (1, 3);

-- When the newest config was stored, as each member of the swarm says; nothing else proves it. What two of them say
-- goes into configs.processed_at.
CREATE TABLE config_claims (
    owner     BLOB    NOT NULL,
    namespace INTEGER NOT NULL,
    node      BLOB    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (owner, namespace, node)
) STRICT, WITHOUT ROWID;
