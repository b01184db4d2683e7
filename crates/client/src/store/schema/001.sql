-- Times are Unix milliseconds on the network's clock. Accounts are 33 bytes: prefix and key.

-- Who we are: exactly one row.
CREATE TABLE account (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    person  INTEGER NOT NULL REFERENCES people (id),
    seed    BLOB    NOT NULL CHECK (length(seed) = 16),
    created INTEGER NOT NULL
) STRICT;

-- Every account we know of, ourselves included: public profile and what we think of them. Authors known from a community
-- only are here by their blinded ids, see `blinded`.
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
    shared          INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1)), -- has an entry in the Contacts config
    CHECK ((picture_url IS NULL) = (picture_key IS NULL))
) STRICT;
-- Strangers who wrote to us.
CREATE INDEX people_strangers ON people (id) WHERE approved = 0 AND approved_me = 1 AND blocked = 0;
CREATE INDEX people_picture_wanted ON people (id) WHERE picture_state = 1;
CREATE INDEX people_picture_file ON people (picture_file) WHERE picture_file IS NOT NULL;

-- Whose rows changed since the Contacts config was last written from them; noted: it is to be, before all else.
CREATE TABLE undescribed (
    person   INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    noted_at INTEGER                                     -- when they were added, should they be new there
) STRICT;
CREATE INDEX undescribed_noted ON undescribed (person) WHERE noted_at IS NOT NULL;

-- Everything one can write to. A row is deleted only with a stranger's request that nobody answered; its number is
-- not given again, so it names the same conversation for ever.
CREATE TABLE conversations (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           INTEGER NOT NULL,                     -- 0 Note to Self, 1 private, 2 group, 3 room, 4 blinded
    address        BLOB    NOT NULL UNIQUE,              -- 05…, 03…, 01 and base address/room, 15… or 25…
    person         INTEGER UNIQUE REFERENCES people (id), -- of kinds 0, 1 and 4
    priority       INTEGER NOT NULL DEFAULT 0,           -- negative hidden, 0 listed, positive pinned (spec 05 §9.1)
    notify         INTEGER NOT NULL DEFAULT 0,           -- 0 as usual, 1 all, 2 nothing, 3 mentions (spec 05 §9.1)
    muted_until    INTEGER,
    marked_unread  INTEGER NOT NULL DEFAULT 0 CHECK (marked_unread IN (0, 1)),
    expiry_mode    INTEGER NOT NULL DEFAULT 0,           -- 0 off, 1 after read, 2 after send
    expiry_seconds INTEGER NOT NULL DEFAULT 0,
    opened_at      INTEGER NOT NULL DEFAULT 0,
    active_at      INTEGER NOT NULL DEFAULT 0,           -- newest sent timestamp ever here; 0 none
    last_read      INTEGER NOT NULL DEFAULT 0,           -- the read mark: what stands up to there is read
    read_asked     INTEGER NOT NULL DEFAULT 0 CHECK (read_asked IN (0, 1)), -- the config was asked for the mark
    read_noted_at  INTEGER,                              -- the mark is to be written into the config
    cleared_to     INTEGER NOT NULL DEFAULT 0,           -- messages up to this number are gone, and on their way out
    unread         INTEGER NOT NULL DEFAULT 0 CHECK (unread >= 0), -- those that count beyond the mark, kept by
                                                                   -- triggers, as is the next
    mentions       INTEGER NOT NULL DEFAULT 0 CHECK (mentions >= 0),
    downloads      INTEGER NOT NULL DEFAULT 0            -- of kinds 1 and 4, on this device: 0 ask before files are
                                                         -- fetched, 1 fetch what is clicked, 2 fetch all
) STRICT;
CREATE INDEX conversations_clearing ON conversations (id) WHERE cleared_to > 0;
CREATE INDEX conversations_read_noted ON conversations (id) WHERE read_noted_at IS NOT NULL;

-- What a group's configs say, for queries (spec 06 §1.2, §3.1).
CREATE TABLE groups (
    conversation        INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    name                TEXT    NOT NULL DEFAULT '',
    description         TEXT    NOT NULL DEFAULT '',
    seed                BLOB    CHECK (length(seed) = 32),           -- of an admin
    auth                BLOB,                            -- of a member: what signs its requests (spec 06 §6)
    picture_url         TEXT,
    picture_key         BLOB,
    picture_state       INTEGER NOT NULL DEFAULT 0,      -- as of people
    picture_file        TEXT,
    created             INTEGER NOT NULL DEFAULT 0,
    joined_at           INTEGER NOT NULL DEFAULT 0,
    invited             INTEGER NOT NULL DEFAULT 0 CHECK (invited IN (0, 1)), -- and not accepted yet
    invited_by          INTEGER REFERENCES people (id),
    removed             INTEGER NOT NULL DEFAULT 0,      -- 1 we were removed, 2 it was destroyed
    delete_before       INTEGER NOT NULL DEFAULT 0,
    delete_files_before INTEGER NOT NULL DEFAULT 0,
    CHECK ((picture_url IS NULL) = (picture_key IS NULL))
) STRICT;
CREATE INDEX groups_picture_file ON groups (picture_file) WHERE picture_file IS NOT NULL;
CREATE INDEX groups_inviter ON groups (invited_by) WHERE invited_by IS NOT NULL;

-- Who is in a group (spec 06 §3.2).
CREATE TABLE members (
    conversation INTEGER NOT NULL REFERENCES groups (conversation) ON DELETE CASCADE,
    person       INTEGER NOT NULL REFERENCES people (id),
    admin        INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    invite       INTEGER NOT NULL DEFAULT 0,             -- 0 accepted, 1 sent, 2 failed, 3 not sent
    promotion    INTEGER NOT NULL DEFAULT 0,             -- the same
    removal      INTEGER NOT NULL DEFAULT 0,             -- 1 to be removed, 2 with all messages
    supplement   INTEGER NOT NULL DEFAULT 0 CHECK (supplement IN (0, 1)), -- is owed the older keys
    PRIMARY KEY (conversation, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_person ON members (person);

-- Community servers (spec 07).
CREATE TABLE servers (
    id           INTEGER PRIMARY KEY,
    base         TEXT    NOT NULL UNIQUE,                -- scheme://host[:port]
    key          BLOB    NOT NULL CHECK (length(key) = 32),
    capabilities TEXT    NOT NULL DEFAULT '[]',          -- JSON
    inbox        INTEGER NOT NULL DEFAULT 0,             -- newest id had from there
    outbox       INTEGER NOT NULL DEFAULT 0,
    polled_at    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Rooms of communities that we are in.
CREATE TABLE rooms (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    server       INTEGER NOT NULL REFERENCES servers (id),
    token        TEXT    NOT NULL,                       -- as its server writes it
    name         TEXT    NOT NULL DEFAULT '',
    description  TEXT    NOT NULL DEFAULT '',
    seqno        INTEGER NOT NULL DEFAULT 0,             -- newest update had
    info_updates INTEGER NOT NULL DEFAULT 0,             -- of the details we have
    active_users INTEGER NOT NULL DEFAULT 0,
    can_read     INTEGER NOT NULL DEFAULT 0 CHECK (can_read IN (0, 1)),
    can_write    INTEGER NOT NULL DEFAULT 0 CHECK (can_write IN (0, 1)),
    can_upload   INTEGER NOT NULL DEFAULT 0 CHECK (can_upload IN (0, 1)),
    moderator    INTEGER NOT NULL DEFAULT 0 CHECK (moderator IN (0, 1)),
    admin        INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    pinned       TEXT    NOT NULL DEFAULT '[]',          -- JSON: server ids of pinned posts
    picture      INTEGER,                                -- number on the server
    picture_file TEXT,
    joined_at    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (server, token)
) STRICT;
CREATE INDEX rooms_picture_file ON rooms (picture_file) WHERE picture_file IS NOT NULL;

-- Who is behind a blinded id, once we know (spec 07 §4).
CREATE TABLE blinded (
    server INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    id     BLOB    NOT NULL CHECK (length(id) = 33),
    person INTEGER REFERENCES people (id),
    PRIMARY KEY (server, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blinded_of_person ON blinded (person) WHERE person IS NOT NULL;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation    INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    author          INTEGER NOT NULL REFERENCES people (id),
    timestamp       INTEGER NOT NULL,
    sorted_at       INTEGER NOT NULL,                    -- where it stands: where it was sent, or where it came if it
                                                         -- claims to be from the future
    msg_id          INTEGER,                             -- Content 18, 64 random bits (spec 09 §6.3)
    server_id       INTEGER,                             -- number of a post in its room
    seqno           INTEGER,                             -- of its newest update
    edited_at       INTEGER,
    whisper         INTEGER NOT NULL DEFAULT 0 CHECK (whisper IN (0, 1, 2)), -- 1 to us, 2 to moderators
    local           INTEGER NOT NULL DEFAULT 0 CHECK (local IN (0, 1)), -- a line made here, unknown to the network
    outgoing        INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
    state           INTEGER NOT NULL,                    -- 0 sending, 1 sent, 2 failed, 3 received
    failure         TEXT,
    hash            BLOB,                                -- in the swarm it came from: our own, or a group's
    text            TEXT    NOT NULL DEFAULT '',
    unspaced        INTEGER NOT NULL AS (text GLOB '*[' || -- has something of a script without spaces between words:
        char(0x0e00, 45, 0x109f, 0x1780, 45, 0x17ff) ||  -- Thai, Lao, Tibetan, Myanmar, Khmer,
        char(0x2e80, 45, 0x31ff, 0x3400, 45, 0x4dbf, 0x4e00, 45, 0x9fff, 0xf900, 45, 0xfaff, 0xff66, 45, 0xff9f,
             0x20000, 45, 0x3ffff) || ']*') STORED,      -- ideographs, kana, Bopomofo
    notice          TEXT,                                -- JSON of `Notice`
    notice_kind     TEXT    AS (json_extract(notice, '$.kind')) STORED,
    quote_author    INTEGER REFERENCES people (id),
    quote_timestamp INTEGER,
    counts          INTEGER NOT NULL DEFAULT 0 CHECK (counts IN (0, 1)), -- for us to read: unread while it stands
                                                                         -- beyond the read mark
    mention         INTEGER NOT NULL DEFAULT 0 CHECK (mention IN (0, 1)),
    read_at         INTEGER,                             -- outgoing: the other's read receipt
    deleted         INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1, 2, 3)), -- only its place is kept: 1 by its
                                                         -- author, everywhere; 2 on this device; 3 as 2, but for a
                                                         -- moment all of it is still here and can be brought back
    expiry_mode     INTEGER NOT NULL DEFAULT 0,
    expiry_seconds  INTEGER NOT NULL DEFAULT 0,
    expires_at      INTEGER,                             -- set once the countdown runs
    received_at     INTEGER NOT NULL,                    -- 0 if written before the network's time was known
    arrived         INTEGER NOT NULL DEFAULT 0 CHECK (arrived IN (0, 1)), -- came from the network, and was told of
    CHECK ((quote_author IS NULL) = (quote_timestamp IS NULL))
) STRICT;
-- A message's identity on the network (spec 02 §6, §10; 09 §6.3). That one with a number and one without are the same
-- message, the code decides.
CREATE UNIQUE INDEX messages_identity ON messages (conversation, author, timestamp, coalesce(msg_id, 0))
    WHERE server_id IS NULL AND local = 0;
CREATE UNIQUE INDEX messages_posts ON messages (conversation, server_id) WHERE server_id IS NOT NULL;
CREATE INDEX messages_of_author ON messages (author, timestamp);
CREATE INDEX messages_hash ON messages (hash) WHERE hash IS NOT NULL;
CREATE INDEX messages_quoting ON messages (quote_author, quote_timestamp) WHERE quote_author IS NOT NULL;
CREATE INDEX messages_page ON messages (conversation, sorted_at, timestamp, id);
CREATE INDEX messages_counting ON messages (conversation, sorted_at, timestamp, mention) WHERE counts = 1;
CREATE INDEX messages_expiring ON messages (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX messages_expiring_here ON messages (conversation, expires_at) WHERE counts = 1 AND expires_at IS NOT NULL;
CREATE INDEX messages_notices ON messages (conversation, notice_kind, author, sorted_at, timestamp)
    WHERE notice_kind IS NOT NULL;
CREATE INDEX messages_unspaced ON messages (id) WHERE unspaced = 1;
CREATE INDEX messages_undated ON messages (id) WHERE received_at = 0;
CREATE INDEX messages_undoable ON messages (id) WHERE deleted = 3;
-- Countdowns that have not begun: the message is unread, or nobody knew the time.
CREATE INDEX messages_untimed ON messages (conversation, sorted_at, timestamp)
    WHERE expires_at IS NULL AND expiry_mode <> 0 AND state IN (1, 3);

-- The same message stored twice in a swarm has two hashes (spec 02 §28).
CREATE TABLE extra_hashes (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    hash    BLOB    NOT NULL,
    PRIMARY KEY (message, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX extra_hashes_hash ON extra_hashes (hash);

-- Link previews (spec 02 §15).
CREATE TABLE previews (
    message INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    url     TEXT    NOT NULL,
    title   TEXT    NOT NULL DEFAULT ''                  -- its picture is an attachment at position -1
) STRICT;

CREATE TABLE attachments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    message      INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    conversation INTEGER NOT NULL,                       -- those of the message, as is the next
    sorted_at    INTEGER NOT NULL,
    class        INTEGER NOT NULL,                       -- 0 picture, 1 video, 2 audio, 3 voice, 4 file,
                                                         -- 5 picture of a link's page, at position -1
    name         TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    width        INTEGER,
    height       INTEGER,
    voice        INTEGER NOT NULL DEFAULT 0 CHECK (voice IN (0, 1)),
    state        INTEGER NOT NULL,                       -- 0 upload, 1 remote, 2 download, 3 local, 4 failed, 5 expired,
                                                         -- 6 unusable, 7 to be prepared
    failure      TEXT,
    pointer      BLOB,                                   -- as received
    url          TEXT,
    key          BLOB,
    digest       BLOB,
    file         TEXT,                                   -- name in the folder of files
    original     INTEGER NOT NULL DEFAULT 0 CHECK (original IN (0, 1)), -- of ours, not prepared for sending yet
    source       TEXT,                                   -- JSON of `SourceFile`: an original not copied yet
    attempts     INTEGER NOT NULL DEFAULT 0,
    not_before   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attachments_of_message ON attachments (message, position);
CREATE INDEX attachments_gallery ON attachments (conversation, class, sorted_at, id);
CREATE INDEX attachments_waiting ON attachments (state, not_before, id) WHERE state IN (0, 2);
CREATE INDEX attachments_preparing ON attachments (file IS NOT NULL, id) WHERE state = 7;
CREATE INDEX attachments_file ON attachments (file) WHERE file IS NOT NULL;

-- What is being written and not sent yet.
CREATE TABLE drafts (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    text         TEXT    NOT NULL DEFAULT '',
    quote        INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX drafts_quoting ON drafts (quote) WHERE quote IS NOT NULL;
CREATE TABLE draft_files (
    conversation INTEGER NOT NULL REFERENCES drafts (conversation) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    path         TEXT,                                   -- where a person has it on this machine
    file         TEXT,                                   -- or name in the folder of files
    voice        INTEGER NOT NULL DEFAULT 0 CHECK (voice IN (0, 1)),
    PRIMARY KEY (conversation, position),
    CHECK ((path IS NULL) <> (file IS NULL))
) STRICT, WITHOUT ROWID;
-- What the link of a draft leads to.
CREATE TABLE draft_previews (
    conversation INTEGER PRIMARY KEY REFERENCES drafts (conversation) ON DELETE CASCADE,
    url          TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    image        BLOB,                                   -- a small JPEG or WebP
    content_type TEXT    NOT NULL DEFAULT '',
    width        INTEGER NOT NULL DEFAULT 0,
    height       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX draft_files_file ON draft_files (file) WHERE file IS NOT NULL;

-- What is to be sent, the bytes encoded once.
CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    lane          BLOB    NOT NULL,                      -- those of one lane go out in their order
    transport     INTEGER NOT NULL DEFAULT 0,            -- 0 stored in a swarm, 1 several steps in a swarm, 2 a
                                                         -- request to a community's server
    message       INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    kind          INTEGER NOT NULL,                      -- 0 to recipient, 1 sync copy, 2 own note, 3 other
    recipient     BLOB    CHECK (length(recipient) = 33),-- whose swarm, of transports 0 and 1
    namespace     INTEGER,
    ttl           INTEGER,
    request       TEXT,                                  -- JSON: where a transport needs more than the above
    after_success TEXT,                                  -- JSON: what follows, beyond what the kind says
    timestamp     INTEGER NOT NULL,
    payload       BLOB,                                  -- NULL while uploads are awaited
    copy          BLOB,                                  -- the copy for our own swarm, sent after this
    copy_ttl      INTEGER,
    wish          TEXT,                                  -- JSON of `Wish`: what to encode, if that is no message
    undated       INTEGER NOT NULL DEFAULT 0 CHECK (undated IN (0, 1)),   -- its timestamp is a guess
    attempted     INTEGER NOT NULL DEFAULT 0 CHECK (attempted IN (0, 1)), -- set before the first byte leaves; of a
                                                         -- copy always: what it is a copy of is out
    given_up      INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)),
    created       INTEGER NOT NULL,
    CHECK (transport = 2 OR (recipient IS NOT NULL AND namespace IS NOT NULL AND ttl IS NOT NULL))
) STRICT;
CREATE INDEX outbox_queue ON outbox (lane, id) WHERE given_up = 0;
CREATE INDEX outbox_of_message ON outbox (message);
CREATE INDEX outbox_undated ON outbox (id) WHERE undated = 1;
CREATE INDEX outbox_without_message ON outbox (timestamp) WHERE message IS NULL;

-- What is taken back and may be out is asked to be deleted, behind itself: by the recipient and by our own devices. Its
-- timestamp is given to it when its turn comes. A note of ours may still come from our own swarm; it is not taken in.
-- Control lines cannot be asked to be deleted (spec 02 §23).
CREATE TRIGGER outbox_taken_back AFTER DELETE ON outbox
WHEN OLD.attempted = 1 AND OLD.kind IN (0, 2) AND OLD.message IS NOT NULL AND OLD.wish IS NULL BEGIN
    INSERT INTO outbox (lane, transport, kind, recipient, namespace, ttl, timestamp, wish, created)
    SELECT OLD.lane, OLD.transport, 3, OLD.recipient, OLD.namespace, OLD.ttl, 0,
        json_object('kind', 'unsend', 'author', lower(hex(p.account)), 'timestamp', OLD.timestamp), OLD.created
    FROM account a JOIN people p ON p.id = a.person;
    INSERT INTO pending_unsends (author, timestamp, stranger, expires_at)
    SELECT p.account, OLD.timestamp, 0, OLD.created + 2592000000
    FROM account a JOIN people p ON p.id = a.person WHERE OLD.kind = 2
    ON CONFLICT DO NOTHING;
END;

-- Reactions by what they point at, so that one may come before its target; one whose target does not come expires. The
-- newest of an author and emoji counts.
CREATE TABLE reactions (
    conversation     INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    target_timestamp INTEGER NOT NULL,
    target_author    INTEGER NOT NULL REFERENCES people (id),
    author           INTEGER NOT NULL REFERENCES people (id),
    emoji            TEXT    NOT NULL,
    timestamp        INTEGER NOT NULL,
    removed          INTEGER NOT NULL CHECK (removed IN (0, 1)),
    received_at      INTEGER NOT NULL,
    expires_at       INTEGER,                            -- while the target is not here
    PRIMARY KEY (conversation, target_timestamp, target_author, author, emoji)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_author ON reactions (author);
CREATE INDEX reactions_target_author ON reactions (target_author);
CREATE INDEX reactions_expiring ON reactions (expires_at) WHERE expires_at IS NOT NULL;

-- Reactions in rooms, whose servers tell how many there are.
CREATE TABLE reaction_totals (
    message  INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji    TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    mine     INTEGER NOT NULL CHECK (mine IN (0, 1)),
    position INTEGER NOT NULL,
    PRIMARY KEY (message, emoji)
) STRICT, WITHOUT ROWID;

-- Requests to delete messages, kept for what comes after them (spec 02 §28).
CREATE TABLE pending_unsends (
    author     BLOB    NOT NULL CHECK (length(author) = 33), -- perhaps of nobody here
    timestamp  INTEGER NOT NULL,
    msg_id     INTEGER,
    stranger   INTEGER NOT NULL DEFAULT 0 CHECK (stranger IN (0, 1)), -- asked for by one we have not accepted
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX pending_unsends_target ON pending_unsends (author, timestamp, coalesce(msg_id, 0));
CREATE INDEX pending_unsends_strange ON pending_unsends (stranger) WHERE stranger = 1;
CREATE INDEX pending_unsends_expiring ON pending_unsends (expires_at);

-- Read receipts for messages that have not come yet: sent by another device of ours.
CREATE TABLE pending_receipts (
    reader     INTEGER NOT NULL REFERENCES people (id),
    timestamp  INTEGER NOT NULL,
    read_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (reader, timestamp)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_receipts_expiring ON pending_receipts (expires_at);

-- Calls that were told of (spec 02 §25): each makes one line, and none if another device of ours took it.
CREATE TABLE calls (
    call       BLOB    NOT NULL CHECK (length(call) = 32),
    sender     INTEGER NOT NULL REFERENCES people (id),  -- who calls; ourselves if another device of ours took it
    message    INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    timestamp  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (call, sender)
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_sender ON calls (sender);
CREATE INDEX calls_message ON calls (message) WHERE message IS NOT NULL;
CREATE INDEX calls_expiring ON calls (expires_at);

-- What this version cannot read, kept for one that can (spec 09 §6.1).
CREATE TABLE deferred (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        INTEGER NOT NULL,                        -- 0 newer format, 1 unknown type
    owner       BLOB    NOT NULL CHECK (length(owner) = 33),
    namespace   INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    sender      BLOB    CHECK (length(sender) = 33),     -- authenticated; of an unknown type only, as is the next
    timestamp   INTEGER,
    msg_id      INTEGER,
    place       BLOB    CHECK (length(place) = 33),      -- the account of the conversation it belongs to, if that is
                                                         -- known
    stored_at   INTEGER NOT NULL,                        -- as the swarm says, as is the next
    stored_till INTEGER NOT NULL,
    raw         BLOB    NOT NULL,                        -- as stored in the swarm
    placeholder INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    expires_at  INTEGER,
    received_at INTEGER NOT NULL,
    tried_by    TEXT    NOT NULL,                        -- the program's version at the last try
    known       INTEGER NOT NULL DEFAULT 0 CHECK (known IN (0, 1)), -- that version could read it, and had no use for it
    UNIQUE (owner, namespace, hash),
    CHECK ((sender IS NULL) = (timestamp IS NULL))
) STRICT;
CREATE INDEX deferred_kind ON deferred (kind, id);
CREATE INDEX deferred_identity ON deferred (sender, timestamp) WHERE sender IS NOT NULL;
CREATE INDEX deferred_place ON deferred (place) WHERE place IS NOT NULL;
CREATE INDEX deferred_tried ON deferred (owner, namespace, id, tried_by);
CREATE INDEX deferred_placeholder ON deferred (placeholder) WHERE placeholder IS NOT NULL;
CREATE INDEX deferred_expiring ON deferred (expires_at) WHERE expires_at IS NOT NULL;

-- How much of each kind there is, each with 256 bytes on top; kept by triggers.
CREATE TABLE deferred_totals (
    kind  INTEGER PRIMARY KEY,
    count INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO deferred_totals (kind) VALUES (0), (1);
CREATE TRIGGER deferred_total_insert AFTER INSERT ON deferred BEGIN
    UPDATE deferred_totals SET count = count + 1, bytes = bytes + length(NEW.raw) + 256 WHERE kind = NEW.kind;
END;
CREATE TRIGGER deferred_total_delete AFTER DELETE ON deferred BEGIN
    UPDATE deferred_totals SET count = count - 1, bytes = bytes - length(OLD.raw) - 256 WHERE kind = OLD.kind;
END;

-- Programs that are told again what they have not acknowledged, and up to which message they have everything.
CREATE TABLE readers (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    done_to INTEGER NOT NULL
) STRICT;
-- What they have acknowledged beyond that.
CREATE TABLE reader_acks (
    reader  INTEGER NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    message INTEGER NOT NULL,
    PRIMARY KEY (reader, message)
) STRICT, WITHOUT ROWID;

-- Names that programs gave to what they sent, so that it is sent once however often they ask.
CREATE TABLE send_keys (
    key        TEXT    PRIMARY KEY,
    message    INTEGER NOT NULL,                         -- may be gone
    timestamp  INTEGER NOT NULL,                         -- as it was written first
    expires_at INTEGER                                   -- NULL if nobody knew the time
) STRICT, WITHOUT ROWID;
CREATE INDEX send_keys_expiring ON send_keys (expires_at) WHERE expires_at IS NOT NULL;

-- What is to be deleted from our own swarm, until it is.
CREATE TABLE doomed_hashes (
    hash       BLOB    PRIMARY KEY,
    expires_at INTEGER NOT NULL                          -- the swarm has forgotten it by itself then
) STRICT, WITHOUT ROWID;
CREATE INDEX doomed_hashes_expiring ON doomed_hashes (expires_at);

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
    account    BLOB    NOT NULL,
    namespace  INTEGER NOT NULL,
    node       BLOB    NOT NULL,
    hash       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,                         -- the swarm forgets it then
    PRIMARY KEY (account, namespace, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX last_hashes_expiring ON last_hashes (expires_at);

-- How often those of an account were reset: a poll that began before does not write them again (spec 09 §5.2).
CREATE TABLE cursor_generations (
    account    BLOB    PRIMARY KEY,
    generation INTEGER NOT NULL
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

-- When the newest config was stored, as each member of the swarm says; nothing else proves it. What two of them say
-- goes into configs.processed_at.
CREATE TABLE config_claims (
    owner     BLOB    NOT NULL,
    namespace INTEGER NOT NULL,
    node      BLOB    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (owner, namespace, node)
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

-- Search, of what people wrote: words as most scripts divide them, and runs of three characters of texts in scripts that
-- do not. What leaves the tables is overwritten.
CREATE VIEW searchable (id, text, unspaced) AS
    SELECT id, text, unspaced FROM messages WHERE text <> '' AND notice IS NULL AND deleted = 0;
CREATE VIEW searchable_unspaced (id, text) AS SELECT id, text FROM searchable WHERE unspaced = 1;
CREATE VIRTUAL TABLE search_words USING fts5 (
    text, content = 'searchable', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE search_trigrams USING fts5 (
    text, content = 'searchable_unspaced', content_rowid = 'id', tokenize = 'trigram remove_diacritics 1',
    detail = 'none'
);
INSERT INTO search_words (search_words, rank) VALUES ('secure-delete', 1);
INSERT INTO search_trigrams (search_trigrams, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER messages_search_insert AFTER INSERT ON messages
WHEN NEW.text <> '' AND NEW.notice IS NULL AND NEW.deleted = 0 BEGIN
    INSERT INTO search_words (rowid, text) VALUES (NEW.id, NEW.text);
    INSERT INTO search_trigrams (rowid, text) SELECT NEW.id, NEW.text WHERE NEW.unspaced = 1;
END;
CREATE TRIGGER messages_search_delete AFTER DELETE ON messages
WHEN OLD.text <> '' AND OLD.notice IS NULL AND OLD.deleted = 0 BEGIN
    INSERT INTO search_words (search_words, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO search_trigrams (search_trigrams, rowid, text) SELECT 'delete', OLD.id, OLD.text WHERE OLD.unspaced = 1;
END;
CREATE TRIGGER messages_search_update AFTER UPDATE OF text, notice, deleted ON messages BEGIN
    INSERT INTO search_words (search_words, rowid, text) SELECT 'delete', OLD.id, OLD.text
        WHERE OLD.text <> '' AND OLD.notice IS NULL AND OLD.deleted = 0;
    INSERT INTO search_trigrams (search_trigrams, rowid, text) SELECT 'delete', OLD.id, OLD.text
        WHERE OLD.unspaced = 1 AND OLD.text <> '' AND OLD.notice IS NULL AND OLD.deleted = 0;
    INSERT INTO search_words (rowid, text) SELECT NEW.id, NEW.text
        WHERE NEW.text <> '' AND NEW.notice IS NULL AND NEW.deleted = 0;
    INSERT INTO search_trigrams (rowid, text) SELECT NEW.id, NEW.text
        WHERE NEW.unspaced = 1 AND NEW.text <> '' AND NEW.notice IS NULL AND NEW.deleted = 0;
END;

-- Counters that no statement can forget: of what counts and stands beyond the read mark. Moving the mark counts by
-- itself.
CREATE TRIGGER messages_count_insert AFTER INSERT ON messages WHEN NEW.counts = 1 BEGIN
    UPDATE conversations SET unread = unread + 1, mentions = mentions + NEW.mention
        WHERE id = NEW.conversation AND (NEW.sorted_at, NEW.timestamp) > (last_read, last_read);
END;
CREATE TRIGGER messages_count_delete AFTER DELETE ON messages WHEN OLD.counts = 1 BEGIN
    UPDATE conversations SET unread = unread - 1, mentions = mentions - OLD.mention
        WHERE id = OLD.conversation AND OLD.id > cleared_to
            AND (OLD.sorted_at, OLD.timestamp) > (last_read, last_read);
END;
CREATE TRIGGER messages_count_update AFTER UPDATE OF counts, mention, sorted_at, timestamp ON messages
WHEN OLD.counts = 1 OR NEW.counts = 1 BEGIN
    UPDATE conversations SET unread = unread - 1, mentions = mentions - OLD.mention
        WHERE id = OLD.conversation AND OLD.counts = 1 AND OLD.id > cleared_to
            AND (OLD.sorted_at, OLD.timestamp) > (last_read, last_read);
    UPDATE conversations SET unread = unread + 1, mentions = mentions + NEW.mention
        WHERE id = NEW.conversation AND NEW.counts = 1 AND NEW.id > cleared_to
            AND (NEW.sorted_at, NEW.timestamp) > (last_read, last_read);
END;

-- Whose entry in the Contacts config is not what the tables say any more.
CREATE TRIGGER people_undescribed_insert AFTER INSERT ON people WHEN substr(NEW.account, 1, 1) = x'05' BEGIN
    INSERT INTO undescribed (person) VALUES (NEW.id);
END;
CREATE TRIGGER people_undescribed_update AFTER UPDATE OF name, nickname, profile_updated, picture_url, picture_key,
    approved, approved_me, blocked, created ON people
WHEN (NEW.name, NEW.nickname, NEW.profile_updated, NEW.picture_url, NEW.picture_key, NEW.approved, NEW.approved_me,
        NEW.blocked, NEW.created)
    IS NOT (OLD.name, OLD.nickname, OLD.profile_updated, OLD.picture_url, OLD.picture_key, OLD.approved,
        OLD.approved_me, OLD.blocked, OLD.created) BEGIN
    INSERT INTO undescribed (person) SELECT NEW.id WHERE NOT EXISTS (SELECT 1 FROM undescribed WHERE person = NEW.id);
END;
CREATE TRIGGER conversations_undescribed_insert AFTER INSERT ON conversations WHEN NEW.kind = 1 BEGIN
    INSERT INTO undescribed (person)
        SELECT NEW.person WHERE NOT EXISTS (SELECT 1 FROM undescribed WHERE person = NEW.person);
END;
CREATE TRIGGER conversations_undescribed_update AFTER UPDATE OF priority, muted_until, notify, expiry_mode,
    expiry_seconds ON conversations
WHEN NEW.kind = 1 AND (NEW.priority, NEW.muted_until, NEW.notify, NEW.expiry_mode, NEW.expiry_seconds)
    IS NOT (OLD.priority, OLD.muted_until, OLD.notify, OLD.expiry_mode, OLD.expiry_seconds) BEGIN
    INSERT INTO undescribed (person)
        SELECT NEW.person WHERE NOT EXISTS (SELECT 1 FROM undescribed WHERE person = NEW.person);
END;

-- Reactions wait for their message, and go with it.
CREATE TRIGGER messages_reactions_insert AFTER INSERT ON messages WHEN NEW.local = 0 BEGIN
    UPDATE reactions SET expires_at = NULL WHERE conversation = NEW.conversation
        AND target_timestamp = NEW.timestamp AND target_author = NEW.author AND expires_at IS NOT NULL;
END;
CREATE TRIGGER messages_reactions_delete AFTER DELETE ON messages WHEN OLD.local = 0 BEGIN
    DELETE FROM reactions WHERE conversation = OLD.conversation
        AND target_timestamp = OLD.timestamp AND target_author = OLD.author;
END;

-- A placeholder that a person deletes takes with it what it stands for.
CREATE TRIGGER messages_deferred_delete AFTER UPDATE OF deleted ON messages
WHEN NEW.deleted IN (1, 2) AND OLD.deleted NOT IN (1, 2) BEGIN
    DELETE FROM deferred WHERE placeholder = NEW.id;
END;

CREATE TRIGGER messages_attachments_move AFTER UPDATE OF sorted_at ON messages
WHEN OLD.sorted_at <> NEW.sorted_at BEGIN
    UPDATE attachments SET sorted_at = NEW.sorted_at WHERE message = NEW.id;
END;

-- No file outlives its row.
CREATE TRIGGER attachments_file_delete AFTER DELETE ON attachments WHEN OLD.file IS NOT NULL BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.file);
END;
CREATE TRIGGER attachments_file_change AFTER UPDATE OF file ON attachments
WHEN OLD.file IS NOT NULL AND OLD.file IS NOT NEW.file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.file);
END;
-- A file of a draft that was sent belongs to the message now.
CREATE TRIGGER draft_files_delete AFTER DELETE ON draft_files
WHEN OLD.file IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attachments WHERE file = OLD.file) BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.file);
END;
CREATE TRIGGER people_picture_change AFTER UPDATE OF picture_file ON people
WHEN OLD.picture_file IS NOT NULL AND OLD.picture_file IS NOT NEW.picture_file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.picture_file);
END;
CREATE TRIGGER groups_picture_change AFTER UPDATE OF picture_file ON groups
WHEN OLD.picture_file IS NOT NULL AND OLD.picture_file IS NOT NEW.picture_file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.picture_file);
END;
CREATE TRIGGER rooms_picture_change AFTER UPDATE OF picture_file ON rooms
WHEN OLD.picture_file IS NOT NULL AND OLD.picture_file IS NOT NEW.picture_file BEGIN
    INSERT OR IGNORE INTO doomed_files (name) VALUES (OLD.picture_file);
END;
