-- Times are Unix milliseconds on the network's clock. Accounts are 33 bytes: prefix and key.

-- Who we are: exactly one row.
CREATE TABLE account (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    person  INTEGER NOT NULL REFERENCES people (id),
    seed    BLOB    NOT NULL CHECK (length(seed) = 16),
    created INTEGER NOT NULL
) STRICT;

-- Every account we know of, ourselves included: public profile and what we think of them.
CREATE TABLE people (
    id              INTEGER PRIMARY KEY,
    account         BLOB    NOT NULL UNIQUE CHECK (length(account) = 33),
    name            TEXT    NOT NULL DEFAULT '',
    nickname        TEXT,
    profile_updated INTEGER NOT NULL DEFAULT 0,          -- seconds, as on the wire (spec 02 §12)
    picture_url     TEXT,
    picture_key     BLOB,
    picture_state   INTEGER NOT NULL DEFAULT 0,          -- 0 none, 1 wanted, 2 here, 3 not to be had
    picture_file    TEXT,                                -- stays until a newer one is here
    approved        INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
    approved_me     INTEGER NOT NULL DEFAULT 0 CHECK (approved_me IN (0, 1)),
    blocked         INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    created         INTEGER NOT NULL DEFAULT 0,
    CHECK ((picture_url IS NULL) = (picture_key IS NULL))
) STRICT;
CREATE INDEX people_picture_wanted ON people (id) WHERE picture_state = 1;

CREATE TABLE conversations (
    id             INTEGER PRIMARY KEY,
    kind           INTEGER NOT NULL,                     -- 0 Note to Self, 1 private
    person         INTEGER UNIQUE REFERENCES people (id),
    priority       INTEGER NOT NULL DEFAULT 0,           -- negative hidden, 0 listed, positive pinned (spec 05 §9.1)
    muted_until    INTEGER,
    marked_unread  INTEGER NOT NULL DEFAULT 0 CHECK (marked_unread IN (0, 1)),
    draft          TEXT,
    expiry_mode    INTEGER NOT NULL DEFAULT 0,           -- 0 off, 1 after read, 2 after send
    expiry_seconds INTEGER NOT NULL DEFAULT 0,
    opened_at      INTEGER NOT NULL,
    active_at      INTEGER NOT NULL DEFAULT 0,           -- newest sent timestamp ever here; 0 none
    last_read      INTEGER NOT NULL DEFAULT 0,           -- what is not newer came in as read
    unread         INTEGER NOT NULL DEFAULT 0 CHECK (unread >= 0),     -- kept by triggers, as is the next
    mentions       INTEGER NOT NULL DEFAULT 0 CHECK (mentions >= 0)
) STRICT;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation    INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    author          INTEGER NOT NULL REFERENCES people (id),
    timestamp       INTEGER NOT NULL,
    local           INTEGER NOT NULL DEFAULT 0 CHECK (local IN (0, 1)), -- a line made here, unknown to the network
    outgoing        INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
    state           INTEGER NOT NULL,                    -- 0 sending, 1 sent, 2 failed, 3 received
    failure         TEXT,
    hash            BLOB,                                -- in our own swarm
    text            TEXT    NOT NULL DEFAULT '',
    notice          TEXT,                                -- JSON of `Notice`
    quote_author    INTEGER REFERENCES people (id),
    quote_timestamp INTEGER,
    unread          INTEGER NOT NULL DEFAULT 0 CHECK (unread IN (0, 1)), -- incoming, not seen by us
    mention         INTEGER NOT NULL DEFAULT 0 CHECK (mention IN (0, 1)),
    read_at         INTEGER,                             -- outgoing: the other's read receipt
    deleted         INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
    expiry_mode     INTEGER NOT NULL DEFAULT 0,
    expiry_seconds  INTEGER NOT NULL DEFAULT 0,
    expires_at      INTEGER,                             -- set once the countdown runs
    received_at     INTEGER NOT NULL,
    CHECK ((quote_author IS NULL) = (quote_timestamp IS NULL))
) STRICT;
-- A message's identity on the network (spec 02 §6, §10).
CREATE UNIQUE INDEX messages_identity ON messages (author, timestamp) WHERE local = 0;
CREATE INDEX messages_page ON messages (conversation, timestamp, id);
CREATE INDEX messages_unread ON messages (conversation, timestamp) WHERE unread = 1;
CREATE INDEX messages_expiring ON messages (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX messages_notices ON messages (conversation, author, timestamp) WHERE notice IS NOT NULL;

-- The same message stored twice in a swarm has two hashes (spec 02 §28).
CREATE TABLE extra_hashes (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    hash    BLOB    NOT NULL,
    PRIMARY KEY (message, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    message      INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    width        INTEGER,
    height       INTEGER,
    voice        INTEGER NOT NULL DEFAULT 0 CHECK (voice IN (0, 1)),
    state        INTEGER NOT NULL,                       -- 0 upload, 1 remote, 2 download, 3 local, 4 failed, 5 expired,
                                                         -- 6 unusable
    failure      TEXT,
    url          TEXT,
    key          BLOB,
    digest       BLOB,
    file         TEXT,                                   -- name in the folder of files
    attempts     INTEGER NOT NULL DEFAULT 0,
    not_before   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attachments_of_message ON attachments (message, position);
CREATE INDEX attachments_waiting ON attachments (state, not_before, id) WHERE state IN (0, 2);

-- What is to be stored in swarms, the bytes encoded once.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    message    INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    kind       INTEGER NOT NULL,                         -- 0 to recipient, 1 sync copy, 2 own note, 3 other
    recipient  BLOB    NOT NULL CHECK (length(recipient) = 33),
    namespace  INTEGER NOT NULL,
    ttl        INTEGER NOT NULL,
    timestamp  INTEGER NOT NULL,
    payload    BLOB,                                     -- NULL while uploads are awaited
    copy       BLOB,                                     -- the copy for our own swarm, sent after this
    copy_ttl   INTEGER,
    given_up   INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)),
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_queue ON outbox (recipient, id) WHERE given_up = 0;
CREATE INDEX outbox_of_message ON outbox (message);

-- Reactions by what they point at, so that one may come before its target. The newest of an author and emoji counts.
CREATE TABLE reactions (
    conversation     INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    target_timestamp INTEGER NOT NULL,
    target_author    INTEGER NOT NULL REFERENCES people (id),
    author           INTEGER NOT NULL REFERENCES people (id),
    emoji            TEXT    NOT NULL,
    timestamp        INTEGER NOT NULL,
    removed          INTEGER NOT NULL CHECK (removed IN (0, 1)),
    PRIMARY KEY (conversation, target_timestamp, target_author, author, emoji)
) STRICT, WITHOUT ROWID;

-- Requests to delete messages that have not come yet (spec 02 §28).
CREATE TABLE pending_unsends (
    author     INTEGER NOT NULL REFERENCES people (id),
    timestamp  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (author, timestamp)
) STRICT, WITHOUT ROWID;

-- Read receipts for messages that have not come yet: sent by another device of ours.
CREATE TABLE pending_receipts (
    reader     INTEGER NOT NULL REFERENCES people (id),
    timestamp  INTEGER NOT NULL,
    read_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (reader, timestamp)
) STRICT, WITHOUT ROWID;

-- What we have from swarms already, kept until the swarm forgets it (spec 02 §10).
CREATE TABLE seen_hashes (
    hash       BLOB    NOT NULL,
    owner      BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_hashes_expiring ON seen_hashes (expires_at);

-- Where the next retrieve of a node goes on.
CREATE TABLE last_hashes (
    account   BLOB    NOT NULL,
    namespace INTEGER NOT NULL,
    node      BLOB    NOT NULL,
    hash      BLOB    NOT NULL,
    PRIMARY KEY (account, namespace, node)
) STRICT, WITHOUT ROWID;

-- Synced configs as the protocol dumps them.
CREATE TABLE configs (
    owner        BLOB    NOT NULL,
    namespace    INTEGER NOT NULL,
    dump         BLOB    NOT NULL,
    needs_push   INTEGER NOT NULL CHECK (needs_push IN (0, 1)),
    processed_at INTEGER NOT NULL DEFAULT 0,             -- sent timestamp of the newest config merged (spec 02 §21.5)
    pushed_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, namespace)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL                                  -- JSON
) STRICT, WITHOUT ROWID;

-- The newest timestamp given to anything we sent (spec 02 §6: never twice the same).
CREATE TABLE clock (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO clock (id, last) VALUES (1, 0);

-- Files whose row is gone; unlinked after the commit.
CREATE TABLE doomed_files (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Counters that no statement can forget.
CREATE TRIGGER messages_count_insert AFTER INSERT ON messages WHEN NEW.unread = 1 BEGIN
    UPDATE conversations SET unread = unread + 1, mentions = mentions + NEW.mention WHERE id = NEW.conversation;
END;
CREATE TRIGGER messages_count_delete AFTER DELETE ON messages WHEN OLD.unread = 1 BEGIN
    UPDATE conversations SET unread = unread - 1, mentions = mentions - OLD.mention WHERE id = OLD.conversation;
END;
CREATE TRIGGER messages_count_update AFTER UPDATE OF unread, mention ON messages
WHEN OLD.unread <> NEW.unread OR OLD.mention <> NEW.mention BEGIN
    UPDATE conversations SET
        unread = unread + NEW.unread - OLD.unread,
        mentions = mentions + NEW.unread * NEW.mention - OLD.unread * OLD.mention
    WHERE id = NEW.conversation;
END;

CREATE TRIGGER messages_reactions_delete AFTER DELETE ON messages WHEN OLD.local = 0 BEGIN
    DELETE FROM reactions WHERE conversation = OLD.conversation
        AND target_timestamp = OLD.timestamp AND target_author = OLD.author;
END;

CREATE TRIGGER attachments_file_delete AFTER DELETE ON attachments WHEN OLD.file IS NOT NULL BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.file);
END;
CREATE TRIGGER attachments_file_change AFTER UPDATE OF file ON attachments
WHEN OLD.file IS NOT NULL AND OLD.file IS NOT NEW.file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.file);
END;
CREATE TRIGGER people_picture_change AFTER UPDATE OF picture_file ON people
WHEN OLD.picture_file IS NOT NULL AND OLD.picture_file IS NOT NEW.picture_file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.picture_file);
END;
