//! Finding messages by what they say.
//!
//! Decision: two indexes, because no single one serves all scripts. Where words stand apart, an index of words without
//! their accents answers "all of these, the last one perhaps unfinished". Where they do not (Chinese, Japanese, Thai…),
//! an index of all runs of three characters answers "this somewhere". A query is put to one of them, by the script it
//! is written in. Both hold only what people wrote: no notices, no placeholders, nothing deleted; triggers keep them
//! so, and what leaves them is overwritten. That costs many times what it costs to put it in, so the second one holds
//! only texts that are in such a script (column `unspaced`).
//!
//! Results are the newest to arrive first and paged by number, so a page costs what it shows and not what there is to
//! find.

use rusqlite::named_params;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::values::Ms;
use crate::model::{ConversationId, Message, MessageId};

/// Terms of a query beyond these are not looked at.
const MAX_TERMS: usize = 32;
/// Characters of a query beyond these are not looked at.
const MAX_CHARS: usize = 200;
/// So many texts, the latest in such a script, are compared with a query that is too short for an index.
const MAX_SCAN: i64 = 20_000;

macro_rules! found_sql {
    ($table:literal) => {
        concat!(
            "SELECT m.id FROM ",
            $table,
            " f CROSS JOIN messages m ON m.id = f.rowid
             CROSS JOIN conversations v ON v.id = m.conversation
             WHERE f.",
            $table,
            " MATCH :query AND f.rowid < :before
                 AND (:conversation IS NULL OR m.conversation = :conversation)
                 AND (m.expires_at IS NULL OR m.expires_at > :now) AND m.id > v.cleared_to
             ORDER BY f.rowid DESC LIMIT :limit"
        )
    };
}

/// Messages with all of some words.
pub(super) const WORDS: &str = found_sql!("search_words");
/// Messages with all of some runs of three characters.
pub(super) const TRIGRAMS: &str = found_sql!("search_trigrams");
/// The latest messages that contain a text, for one that is too short for an index.
pub(super) const SHORT: &str = "SELECT m.id FROM
         (SELECT id, conversation, text, notice, deleted, expires_at FROM messages
          WHERE unspaced = 1 AND id < :before ORDER BY id DESC LIMIT :scan) m
     CROSS JOIN conversations v ON v.id = m.conversation AND m.id > v.cleared_to
     WHERE m.text <> '' AND m.notice IS NULL AND m.deleted = 0 AND instr(m.text, :query) > 0
         AND (:conversation IS NULL OR m.conversation = :conversation)
         AND (m.expires_at IS NULL OR m.expires_at > :now)
     ORDER BY m.id DESC LIMIT :limit";

impl Db {
    /// Messages that contain what a person typed, the newest to arrive first: in one conversation or in all, at most
    /// `limit`, and only those that arrived before `before` if that is given. What has expired by `now` is not found.
    pub fn search(
        &self,
        text: &str,
        conversation: Option<ConversationId>,
        limit: u32,
        before: Option<MessageId>,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        let Some(question) = Question::of(text) else { return Ok(Vec::new()) };
        let (sql, query) = match &question {
            Question::Words(query) => (WORDS, query),
            Question::Trigrams(query) => (TRIGRAMS, query),
            Question::Short(query) => (SHORT, query),
        };
        let mut statement = self.sql().prepare_cached(sql)?;
        if let Question::Short(_) = question {
            statement.raw_bind_parameter(":scan", MAX_SCAN)?;
        }
        let values = named_params! {
            ":query": query,
            ":conversation": conversation.map(|id| id.0),
            ":before": before.map_or(i64::MAX, |id| id.0),
            ":now": Ms(now),
            ":limit": limit,
        };
        for (name, value) in values {
            statement.raw_bind_parameter(*name, value)?;
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(MessageId(row.get(0)?));
        }
        drop(rows);
        let mut messages = self.messages_by_id(&found, now)?;
        messages.sort_by_key(|message| std::cmp::Reverse(message.id));
        Ok(messages)
    }
}

/// What a person typed, as one of the indexes is asked.
#[derive(PartialEq, Eq, Debug)]
enum Question {
    Words(String),
    Trigrams(String),
    Short(String),
}

impl Question {
    /// `None` if there is nothing to look for.
    fn of(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(MAX_CHARS).collect();
        let terms: Vec<&str> = text
            .split(|c: char| !is_part(c))
            .filter(|term| term.chars().any(char::is_alphanumeric))
            .take(MAX_TERMS)
            .collect();
        if terms.is_empty() {
            return None;
        }
        if !text.chars().any(runs_together) {
            // The last word may not be finished.
            let words: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
            return Some(Self::Words(format!("{}*", words.join(" "))));
        }
        let mut trigrams: Vec<String> = Vec::new();
        for term in &terms {
            let chars: Vec<char> = term.chars().collect();
            trigrams.extend(chars.windows(3).map(|run| format!("\"{}\"", run.iter().collect::<String>())));
        }
        match trigrams.is_empty() {
            true => Some(Self::Short(text)),
            false => Some(Self::Trigrams(trigrams.join(" AND "))),
        }
    }
}

/// Whether a character is part of what is looked for; the others only stand between.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// Vowels and tones that are written above and below letters, and accents that stand alone.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x0e31 | 0x0e34..=0x0e3a | 0x0e47..=0x0e4e | 0x0eb1 | 0x0eb4..=0x0ecd
        | 0x102b..=0x103e | 0x17b4..=0x17d3 | 0x3099..=0x309a)
}

/// Whether a script is written without spaces between words; the column `unspaced` says it of a text.
pub(super) fn runs_together(c: char) -> bool {
    matches!(u32::from(c),
        // Thai, Lao, Tibetan, Myanmar, Khmer
        0x0e00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff
        // Kana, Bopomofo, ideographs and their extensions
        | 0x2e80..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9f | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_decides_which_index_is_asked() {
        for (text, wanted) in [
            ("hello", Some(Question::Words("\"hello\"*".into()))),
            ("  two words ", Some(Question::Words("\"two\" \"words\"*".into()))),
            ("say \"AND\" NOT (x)", Some(Question::Words("\"say\" \"AND\" \"NOT\" \"x\"*".into()))),
            ("了解です", Some(Question::Trigrams("\"了解で\" AND \"解です\"".into()))),
            ("了解", Some(Question::Short("了解".into()))),
            (" *\" -", None),
            ("", None),
        ] {
            assert_eq!(Question::of(text), wanted, "{text}");
        }
    }
}
