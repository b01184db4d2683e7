//! The queries that run all the time must stay on their indexes, however many messages there are.

use super::*;
use crate::store::{attachment, conversation, dating, delete, message, outbox, read, receive};

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
}

#[test]
fn small_questions_are_answered_by_indexes() {
    check(receive::KNOWN, "messages_of_author", &[]);
    check(read::BEYOND, "COVERING INDEX messages_counting", &[]);
    check(read::BETWEEN, "COVERING INDEX messages_counting", &[]);
    check(read::TEXTS, "messages_counting", &[]);
    check(read::UNTIMED, "messages_untimed", &[]);
    check("SELECT 1 FROM seen_hashes WHERE hash = ?1 AND owner = ?2", "PRIMARY KEY", &[]);
    for sql in [delete::EXPIRED, delete::NEXT_EXPIRY, delete::NEXT_EXPIRY_AFTER] {
        check(sql, "messages_expiring", &[]);
    }
    // Few, and sorted to be told once each.
    assert!(plan(&db(), delete::EXPIRED_BETWEEN)[0].contains("messages_expiring"));
    check("DELETE FROM seen_hashes WHERE expires_at <= ?1", "seen_hashes_expiring", &[]);
    check("SELECT id FROM people WHERE picture_state = 1", "people_picture_wanted", &["people"]);
    check(receive::message::NEWER_EXPIRY_CHANGE, "messages_notices", &[]);
    check(receive::message::OLDER_EXPIRY_CHANGES, "messages_notices", &[]);
}

#[test]
fn what_waits_for_the_time_is_found_without_looking_at_all_messages() {
    check(dating::UNDATED_LINES, "messages_undated", &["messages USING INDEX messages_undated"]);
    check(dating::UNDATED_JOBS, "outbox_undated", &["outbox USING INDEX outbox_undated"]);
    check(dating::COUNT, "messages_untimed", &["m USING INDEX messages_untimed"]);
    check(dating::BRING_DOWN, "messages_page", &["c"]);
    check("SELECT 1 FROM outbox WHERE undated = 1", "outbox_undated", &["outbox USING"]);
    check("SELECT 1 FROM outbox WHERE timestamp = ?1 AND message IS NULL", "outbox_without_message", &[]);
}

#[test]
fn deleting_a_message_finds_what_hangs_on_it() {
    let steps = plan(&db(), "DELETE FROM messages WHERE id = ?1");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:#?}");
    check("DELETE FROM attachments WHERE message = ?1", "attachments_of_message", &[]);
    check("DELETE FROM outbox WHERE message = ?1", "outbox_of_message", &[]);
}
