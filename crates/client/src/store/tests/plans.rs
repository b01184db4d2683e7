//! The queries that run all the time must stay on their indexes, however many messages there are.

use super::*;
use crate::store::receive::strangers;
use crate::store::{
    account, attachment, conversation, dating, deferred, delete, message, noted, outbox, people, read,
    reader, receive, search, wanted,
};

/// What SQLite says it does for a query, one line for each step.
fn plan(db: &Db, sql: &str) -> Vec<String> {
    let mut statement = db.sql().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement.raw_query();
    let mut rows = rows;
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps
}

fn is_bad(step: &str, allowed: &[&str]) -> bool {
    let scan =
        step.starts_with("SCAN ") && !allowed.iter().any(|table| step.starts_with(&format!("SCAN {table}")));
    scan || step.contains("USE TEMP B-TREE FOR ORDER BY") || step.contains("AUTOMATIC")
}

/// Fails if a query scans a table other than the allowed ones, sorts, or does not use the index named.
fn check(sql: &str, index: &str, allowed: &[&str]) {
    let steps = plan(&db(), sql);
    let bad: Vec<&String> = steps.iter().filter(|step| is_bad(step, allowed)).collect();
    assert!(bad.is_empty(), "{bad:#?}\nin {steps:#?}\nof {sql}");
    assert!(steps.iter().any(|step| step.contains(index)), "{index} is not used: {steps:#?}\nof {sql}");
}

#[test]
fn pages_come_from_the_paging_index() {
    for sql in [message::NEWEST, message::BEFORE, message::AFTER] {
        check(sql, "messages_page", &[]);
    }
    check(message::BY_ID, "INTEGER PRIMARY KEY", &[]);
}

#[test]
fn what_is_missing_of_the_newest_messages_comes_from_the_paging_index() {
    check(wanted::MISSING, "messages_page", &["m"]);
    check(wanted::MISSING, "attachments_of_message", &["m"]);
}

#[test]
fn readers_go_on_from_a_number() {
    for sql in [message::ARRIVED, reader::NEXT] {
        check(sql, "INTEGER PRIMARY KEY (rowid>?)", &[]);
    }
}

#[test]
fn quotes_are_found_by_author_and_time() {
    check(message::NEWEST, "messages_of_author", &[]);
}

#[test]
fn the_list_reads_one_message_of_each_conversation() {
    check(conversation::LIST, "messages_page", &["c"]);
    check(conversation::ONE, "messages_page", &[]);
    check(conversation::FIND, "sqlite_autoindex_conversations_1", &[]);
}

#[test]
fn the_outbox_steps_from_queue_to_queue() {
    let db = db();
    let steps = plan(&db, outbox::DUE);
    assert!(steps.iter().filter(|step| step.contains("outbox_queue")).count() >= 3, "{steps:#?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN o")), "{steps:#?}");
}

#[test]
fn transfers_come_from_the_partial_index() {
    check(attachment::DUE, "attachments_waiting", &[]);
    check(attachment::DOWNLOADS_NEXT, "attachments_waiting", &[]);
    check(attachment::PREPARING, "attachments_preparing", &["t USING INDEX attachments_preparing"]);
}

#[test]
fn parts_of_a_page_are_found_by_their_messages() {
    check(message::ATTACHMENTS, "attachments_of_message", &["json_each"]);
    // Reactions to a page are few: they are put into the order they came in.
    let steps = plan(&db(), message::REACTIONS);
    assert!(steps.iter().any(|step| step.contains("SEARCH r USING PRIMARY KEY")), "{steps:#?}");
}

#[test]
fn small_questions_are_answered_by_indexes() {
    for (sql, index) in [
        (receive::KNOWN, "messages_of_author"),
        (receive::SEEN, "PRIMARY KEY"),
        (receive::STANDING, "sqlite_autoindex_people_1"),
        (receive::PLACE, "sqlite_autoindex_conversations_1"),
        (receive::message::NEWER_EXPIRY_CHANGE, "messages_notices"),
        (receive::message::OLDER_EXPIRY_CHANGES, "messages_notices"),
        (receive::pointing::READ_BY_OTHER, "messages_of_author"),
        (read::BEYOND, "COVERING INDEX messages_counting"),
        (read::BETWEEN, "COVERING INDEX messages_counting"),
        (read::AHEAD, "messages_counting"),
        (read::TEXTS, "messages_counting"),
        (read::UNTIMED, "messages_untimed"),
        (delete::FIND, "messages_of_author"),
        (delete::EXPIRED, "COVERING INDEX messages_expiring"),
        (delete::NEXT_EXPIRY, "COVERING INDEX messages_expiring"),
        (delete::NEXT_EXPIRY_AFTER, "COVERING INDEX messages_expiring"),
        (delete::CLEARED, "COVERING INDEX messages_page"),
        (account::IS_USED, "outbox_without_message"),
    ] {
        check(sql, index, &[]);
    }
    // Few, and sorted to be told once each.
    assert!(plan(&db(), delete::EXPIRED_BETWEEN)[0].contains("messages_expiring"));
    check(delete::CLEARING, "conversations_clearing", &["conversations USING INDEX conversations_clearing"]);
    check(people::PICTURES_WANTED, "people_picture_wanted", &["people USING INDEX", "account"]);
    check(attachment::FILE_IN_USE, "attachments_file", &[]);
    check(attachment::HASTEN, "attachments_waiting", &[]);
    for sql in delete::OLD {
        let table = sql.split_whitespace().nth(2).unwrap();
        check(sql, &format!("{table}_expiring"), &[]);
    }
}

#[test]
fn what_is_noted_for_documents_is_found_without_looking_at_all_people() {
    check(noted::NOTE_CONTACT, "undescribed USING INTEGER PRIMARY KEY", &[]);
    check(noted::UNDESCRIBED, "u USING INTEGER PRIMARY KEY", &[]);
    check(noted::NOTED_CONTACTS, "undescribed_noted", &["u USING INDEX undescribed_noted"]);
    check(noted::NOTED_READS, "conversations_read_noted", &["conversations USING INDEX"]);
}

#[test]
fn a_search_reads_what_it_shows() {
    for (sql, table) in [(search::WORDS, "f VIRTUAL TABLE"), (search::TRIGRAMS, "f VIRTUAL TABLE")] {
        check(sql, table, &["f VIRTUAL TABLE"]);
    }
    let steps = plan(&db(), search::SHORT);
    assert!(steps.iter().any(|step| step.contains("messages_unspaced")), "{steps:#?}");
    assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:#?}");
}

#[test]
fn what_waits_for_the_time_is_found_without_looking_at_all_messages() {
    check(dating::UNDATED_LINES, "messages_undated", &["messages USING INDEX messages_undated"]);
    check(dating::UNDATED_JOBS, "outbox_undated", &["outbox USING INDEX outbox_undated"]);
    check(dating::UNTRIED_JOBS, "outbox_queue", &[]);
    check(dating::QUOTING, "messages_quoting", &[]);
    check(dating::COUNT, "messages_untimed", &["m USING INDEX messages_untimed"]);
    check(dating::KEEP_READ, "messages_counting", &["c"]);
    check(dating::BRING_DOWN, "messages_page", &["c"]);
    check(dating::HAS_UNDATED, "outbox_undated", &["outbox USING"]);
}

/// What SQLite does by itself when a row goes that others point at: it must find them.
#[test]
fn every_reference_is_found_by_an_index() {
    let db = db();
    let tables: Vec<String> =
        list(&db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'");
    assert!(tables.len() > 20);
    for table in tables {
        let columns = list(&db, &format!("SELECT \"from\" FROM pragma_foreign_key_list('{table}')"));
        for column in columns.iter().filter(|column| *column != "person" || table != "account") {
            let steps = plan(&db, &format!("SELECT 1 FROM {table} WHERE {column} = ?1"));
            let found = steps.iter().all(|step| step.starts_with("SEARCH "));
            assert!(found, "{table}.{column}: {steps:#?}");
        }
    }
    check(delete::REMOVE, "INTEGER PRIMARY KEY", &["json_each"]);
}

fn list(db: &Db, sql: &str) -> Vec<String> {
    let mut statement = db.sql().prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_is_kept_for_later_versions_is_found_by_what_names_it() {
    check(deferred::KEPT, "deferred_identity", &[]);
    check(deferred::UNTRIED, "deferred_tried", &[]);
    check("DELETE FROM deferred WHERE place = ?1", "deferred_place", &[]);
}

#[test]
fn dropping_a_request_looks_at_nothing_else() {
    check(strangers::NOWHERE, "messages_of_author", &["CONSTANT ROW"]);
    let steps = plan(&db(), strangers::TOO_MANY);
    assert!(steps.iter().any(|step| step.contains("people_strangers")), "{steps:#?}");
    for sql in ["DELETE FROM people WHERE id = ?1", "DELETE FROM conversations WHERE id = ?1"] {
        let steps = plan(&db(), sql);
        let only_account = |step: &&String| step.starts_with("SCAN") && !step.starts_with("SCAN account");
        assert_eq!(steps.iter().find(only_account), None, "{steps:#?}\nof {sql}");
    }
}
