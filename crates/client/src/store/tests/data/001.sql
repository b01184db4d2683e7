-- Something in every table of version 1.
INSERT INTO people (id, account, name, picture_url, picture_key, picture_state, picture_file, approved) VALUES
    (1, unhex('05' || hex(zeroblob(31)) || '01'), 'Me', NULL, NULL, 0, NULL, 1),
    (2, unhex('05' || hex(zeroblob(31)) || '02'), 'Alice', 'http://files.example/1', zeroblob(32), 2,
        '00000000000000000000000000000001', 1),
    (3, unhex('15' || hex(zeroblob(31)) || '03'), 'Somebody', NULL, NULL, 0, NULL, 0);
INSERT INTO account (id, person, seed, created) VALUES (1, 1, zeroblob(16), 1790000000000);
INSERT INTO conversations (id, kind, address, person, priority, last_read) VALUES
    (1, 0, unhex('05' || hex(zeroblob(31)) || '01'), 1, -1, 0),
    (2, 1, unhex('05' || hex(zeroblob(31)) || '02'), 2, 1, 1790000000002),
    (3, 2, unhex('03' || hex(zeroblob(31)) || '01'), NULL, 0, 0),
    (4, 3, CAST(x'01' || 'https://example.org/lobby' AS BLOB), NULL, 0, 0);
INSERT INTO groups (conversation, name, seed, invited_by) VALUES (3, 'Weekend crew', zeroblob(32), 2);
INSERT INTO members (conversation, person, admin) VALUES (3, 1, 1), (3, 2, 0);
INSERT INTO servers (id, base, key) VALUES (1, 'https://example.org', zeroblob(32));
INSERT INTO rooms (conversation, server, token, name, seqno, can_read) VALUES (4, 1, 'Lobby', 'The lobby', 77, 1);
INSERT INTO blinded (server, id, person) VALUES (1, unhex('15' || hex(zeroblob(31)) || '03'), 3);
INSERT INTO messages (id, conversation, author, timestamp, sorted_at, msg_id, server_id, seqno, outgoing, state, hash,
    text, notice, quote_author, quote_timestamp, counts, mention, expiry_mode, expiry_seconds, received_at) VALUES
    (1, 2, 2, 1790000000001, 1790000000001, NULL, NULL, NULL, 0, 3, zeroblob(32), 'read before', NULL, NULL, NULL, 1, 0,
        0, 0, 1790000000001),
    (2, 2, 2, 1790000000005, 1790000000005, 99, NULL, NULL, 0, 3, NULL, 'unread @me', NULL, 2, 1790000000001, 1, 1,
        1, 60, 1790000000005),
    (3, 2, 1, 1790000000006, 1790000000006, NULL, NULL, NULL, 1, 0, NULL, 'on its way', NULL, NULL, NULL, 0, 0, 0, 0,
        1790000000006),
    (4, 2, 2, 1790000000007, 1790000000007, NULL, NULL, NULL, 0, 3, NULL, '', '{"kind":"screenshot"}', NULL, NULL, 0, 0,
        0, 0, 1790000000007),
    (5, 4, 3, 1790000000008, 1790000000008, NULL, 12, 77, 0, 3, NULL, 'a post', NULL, NULL, NULL, 1, 0, 0, 0,
        1790000000008);
INSERT INTO extra_hashes (message, hash) VALUES (1, zeroblob(32));
INSERT INTO previews (message, url, title) VALUES (1, 'https://example.org', 'Example');
INSERT INTO attachments (id, message, position, conversation, sorted_at, class, name, content_type, size, state, file)
    VALUES (1, 1, 0, 2, 1790000000001, 0, 'x.png', 'image/png', 5, 3, '00000000000000000000000000000002'),
           (2, 3, 0, 2, 1790000000006, 4, 'y.bin', 'application/octet-stream', 5, 0,
               '00000000000000000000000000000003');
INSERT INTO drafts (conversation, text, quote, updated_at) VALUES (2, 'half a tho', 1, 1790000000009);
INSERT INTO draft_files (conversation, position, name, content_type, size, path) VALUES
    (2, 0, 'z.txt', 'text/plain', 7, '/home/me/z.txt');
INSERT INTO draft_previews (conversation, url, title) VALUES (2, 'https://example.org', 'Example');
INSERT INTO outbox (lane, message, kind, recipient, namespace, ttl, timestamp, created) VALUES
    (zeroblob(33), 3, 0, zeroblob(33), 0, 1209600000, 1790000000006, 1790000000006);
INSERT INTO reactions (conversation, target_timestamp, target_author, author, emoji, timestamp, removed, received_at)
    VALUES (2, 1790000000001, 2, 1, '👍', 1790000000007, 0, 1790000000007);
INSERT INTO reaction_totals (message, emoji, count, mine, position) VALUES (5, '🎉', 3, 1, 0);
INSERT INTO pending_unsends (author, timestamp, stranger, expires_at) VALUES
    (unhex('05' || hex(zeroblob(31)) || '02'), 1790000000020, 1, 1791000000000);
INSERT INTO pending_receipts (reader, timestamp, read_at, expires_at) VALUES
    (2, 1790000000021, 1790000000022, 1791000000000);
INSERT INTO deferred (kind, owner, namespace, hash, sender, timestamp, stored_at, stored_till, raw, placeholder,
    received_at, tried_by) VALUES (1, zeroblob(33), 0, zeroblob(32), zeroblob(33), 1790000000007, 1790000000007,
    1791000000000, x'0102', 4, 1790000000007, '0.1.0');
INSERT INTO calls (call, sender, message, timestamp, expires_at) VALUES
    (zeroblob(32), 2, 4, 1790000000007, 1791000000000);
INSERT INTO readers (id, name, done_to) VALUES (1, 'bot', 1);
INSERT INTO reader_acks (reader, message) VALUES (1, 4);
INSERT INTO send_keys (key, message, timestamp, expires_at) VALUES ('answer to 2', 3, 1790000000006, 1792592000006);
INSERT INTO seen_hashes (hash, owner, expires_at) VALUES (zeroblob(32), zeroblob(33), 1791000000000);
INSERT INTO doomed_hashes (hash, expires_at) VALUES (zeroblob(32), 1791000000000);
INSERT INTO last_hashes (account, namespace, node, hash, expires_at) VALUES
    (zeroblob(33), 0, zeroblob(32), zeroblob(32), 1791000000000);
INSERT INTO cursor_generations (account, generation) VALUES (zeroblob(33), 1);
INSERT INTO configs (owner, namespace, dump, needs_push) VALUES (zeroblob(33), 2, x'6465', 0);
INSERT INTO config_claims (owner, namespace, node, at) VALUES (zeroblob(33), 2, zeroblob(32), 1790000000000);
INSERT INTO settings (name, value) VALUES ('read_receipts', 'true');
INSERT INTO doomed_files (name) VALUES ('00000000000000000000000000000009');
