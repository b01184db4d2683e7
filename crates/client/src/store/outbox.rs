//! The outbox: what is to be stored in swarms.
//!
//! Decision: a job carries the bytes as they go out, encoded once, so every attempt stores the same bytes and a swarm
//! keeps one copy however often a reply is lost (spec 02 §8). Jobs of one lane go out in their order: only the first
//! of each is ever due. What a success changes (the message's state, the hash, the copy for our own swarm) happens in
//! the transaction that removes the job, so a crash finds the job still there or everything done. A job that was given
//! up stays with its bytes: sending again cannot make a second message.
//!
//! Decision: whether anything of a job may be out is written down before its first byte leaves (`attempted`). What was
//! never attempted is nobody's business yet: it can be dated and encoded anew ([`Db::freshen`]), and taken back
//! without a trace. What was attempted keeps its bytes and its timestamp for ever, and taking it back puts a request to
//! delete it behind it. A trigger does that wherever the row goes, so no way of deleting a message can forget it; who
//! removes a job whose fate is known says so ([`Db::settle_jobs`]).

use rusqlite::{OptionalExtension, Row, named_params, params};
use septet_protocol::id::{Account, MessageHash, Namespace};
use septet_protocol::time::Timestamp;

use super::dating;
use super::db::Db;
use super::error::StoreError;
use super::kinds::Transport;
use super::types::{Due, Job, JobId, JobKind, Lane, NewJob, Now, SwarmCopy};
use super::values::{Hash, Ms, Owner, expiry, time};
use crate::model::{ConversationId, Expiry, MessageId, MessageState};

/// How long hashes of what we stored ourselves are remembered, in ms (spec 02 §10).
const OWN_HASH_MS: u64 = 14 * 24 * 3600 * 1000;

macro_rules! job_sql {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.kind, o.recipient, o.namespace, o.message, o.timestamp, o.ttl, o.payload IS NOT NULL,
                    o.created, o.wish, o.attempted, o.lane, o.transport FROM outbox o ",
            $rest
        )
    };
}

/// The first job of each lane. It steps from lane to lane: what waits behind costs nothing.
pub(super) const DUE: &str = "WITH RECURSIVE queue (lane) AS (
         SELECT min(lane) FROM outbox WHERE given_up = 0
         UNION ALL
         SELECT (SELECT min(lane) FROM outbox WHERE given_up = 0 AND lane > queue.lane)
         FROM queue WHERE queue.lane IS NOT NULL)
     SELECT o.id, o.lane
     FROM queue JOIN outbox o ON o.id =
         (SELECT min(id) FROM outbox WHERE lane = queue.lane AND given_up = 0)
     WHERE o.undated = 0 ORDER BY o.id";

impl Db {
    /// Adds a job. Under a guessed time its timestamp is not final, and what bytes it has are not kept; see
    /// [`Db::settle_time`].
    pub fn enqueue(&mut self, job: &NewJob, now: Now) -> Result<JobId, StoreError> {
        let undated = now.known().is_none();
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO outbox (lane, transport, message, kind, recipient, namespace, ttl, timestamp, payload, copy,
                 copy_ttl, created, undated, wish)
             VALUES (:recipient, :transport, :message, :kind, :recipient, :namespace, :ttl, :timestamp, :payload,
                 :copy, :copy_ttl, :now, :undated, :wish)",
        )?;
        let copy = job.copy.as_ref().filter(|_| !undated);
        statement.execute(named_params! {
            ":message": job.message.map(|id| id.0),
            ":transport": Transport::Swarm,
            ":kind": job.kind,
            ":recipient": Owner(job.recipient),
            ":namespace": job.namespace.0,
            ":ttl": length(job.ttl_ms),
            ":timestamp": Ms(job.timestamp),
            ":payload": job.payload.as_ref().filter(|_| !undated),
            ":copy": copy.map(|copy| &copy.payload),
            ":copy_ttl": copy.map(|copy| length(copy.ttl_ms)),
            ":now": Ms(now.at()),
            ":undated": undated,
            ":wish": job.wish.as_ref().map(dating::wish_json).transpose()?,
        })?;
        let id = JobId(self.sql().last_insert_rowid());
        drop(statement);
        self.raise_clock(job.timestamp)?;
        Ok(id)
    }

    /// The jobs whose turn it is: the first of each lane, if its timestamp is of the network's time. Those without
    /// bytes wait for uploads, and what is behind them waits too. How long a job that failed waits, the task keeps.
    pub fn outbox_due(&self) -> Result<Vec<Due>, StoreError> {
        let mut statement = self.sql().prepare_cached(DUE)?;
        let rows =
            statement.query_map([], |row| Ok(Due { job: JobId(row.get(0)?), lane: Lane(row.get(1)?) }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many jobs wait, those given up left out.
    pub fn outbox_len(&self) -> Result<u64, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT count(*) FROM outbox WHERE given_up = 0")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// The newest number that a job ever had.
    pub fn newest_job(&self) -> Result<JobId, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'";
        let newest = self.sql().prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(JobId(newest.unwrap_or_default()))
    }

    /// Whether none of the jobs after one number and up to another waits.
    pub fn jobs_are_done(&self, spans: &[(JobId, JobId)]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM outbox WHERE id > ?1 AND id <= ?2 AND given_up = 0";
        let mut statement = self.sql().prepare_cached(sql)?;
        for (from, to) in spans {
            if statement.exists([from.0, to.0])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether no job of a message waits.
    pub fn message_is_out(&self, message: MessageId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM outbox WHERE message = ?1 AND given_up = 0";
        Ok(!self.sql().prepare_cached(sql)?.exists([message.0])?)
    }

    /// One job; `None` if it is done, or was taken back.
    pub fn outbox_job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let mut statement = self.sql().prepare_cached(job_sql!("WHERE o.id = ?1"))?;
        Ok(statement.query_row([id.0], job).optional()?)
    }

    /// The jobs of a message, those given up among them.
    pub fn outbox_of(&self, message: MessageId) -> Result<Vec<Job>, StoreError> {
        let mut statement = self.sql().prepare_cached(job_sql!("WHERE o.message = ?1 ORDER BY o.id"))?;
        Ok(statement.query_map([message.0], job)?.collect::<Result<_, _>>()?)
    }

    /// The bytes of a job, once it has some.
    pub fn outbox_payload(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT payload FROM outbox WHERE id = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0)).optional()?.flatten())
    }

    /// A job is about to be tried: from now on nobody knows whether its bytes are out, so it keeps them. To be stored
    /// before the first byte leaves. True if it was not tried before.
    pub fn outbox_attempting(&mut self, id: JobId) -> Result<bool, StoreError> {
        let sql = "UPDATE outbox SET attempted = 1 WHERE id = ?1 AND attempted = 0";
        Ok(self.sql().prepare_cached(sql)?.execute([id.0])? > 0)
    }

    /// Nothing of a job is out after all. Only for who was told so by [`Db::outbox_attempting`] and by the network.
    pub fn outbox_not_attempted(&mut self, id: JobId) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET attempted = 0 WHERE id = ?1";
        self.sql().prepare_cached(sql)?.execute([id.0])?;
        Ok(())
    }

    /// Whether some of a message of ours may be out, though that is not certain.
    fn is_attempted(&self, message: MessageId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM outbox WHERE message = ?1 AND kind IN (?2, ?3) AND attempted = 1";
        Ok(self.sql().prepare_cached(sql)?.exists(params![
            message.0,
            JobKind::ToRecipient,
            JobKind::OwnNote
        ])?)
    }

    /// The uploads are done and the timestamp is of the network's time: these are the bytes.
    pub fn outbox_encoded(
        &mut self,
        id: JobId,
        payload: &[u8],
        ttl_ms: u64,
        copy: Option<&SwarmCopy>,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE outbox SET payload = ?2, ttl = ?3, copy = ?4, copy_ttl = ?5
             WHERE id = ?1 AND payload IS NULL AND undated = 0",
        )?;
        statement.execute(params![
            id.0,
            payload,
            length(ttl_ms),
            copy.map(|copy| &copy.payload),
            copy.map(|copy| length(copy.ttl_ms)),
        ])?;
        Ok(())
    }

    /// The swarm has it, under this hash; `stored_at` is the node's time. Makes the message "sent", starts its
    /// countdown, remembers the hash, puts the copy for our own swarm into the outbox and removes the job.
    /// Returns the message that changed, if one did. A job that is gone already is not an error.
    pub fn outbox_sent(
        &mut self,
        id: JobId,
        hash: MessageHash,
        stored_at: Timestamp,
        now: Now,
    ) -> Result<Option<(ConversationId, MessageId)>, StoreError> {
        self.transaction(|db| {
            let Some(job) = db.outbox_job(id)? else { return Ok(None) };
            db.remember_hash(job.recipient, hash, now.at() + OWN_HASH_MS)?;
            if let Some(message) = job.message {
                match job.kind {
                    JobKind::ToRecipient => db.message_sent(message, None, stored_at, now)?,
                    JobKind::OwnNote => db.message_sent(message, Some(hash), stored_at, now)?,
                    JobKind::SyncCopy => db.set_hash(message, hash)?,
                    JobKind::Other => {}
                }
            }
            db.enqueue_copy(id, now)?;
            db.settle_jobs("id = ?1", id.0)?;
            db.changed_by(job)
        })
    }

    /// Puts the copy of a job that is done into our own lane. What it is a copy of is out.
    fn enqueue_copy(&self, id: JobId, now: Now) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO outbox (lane, message, kind, recipient, namespace, ttl, timestamp, payload, attempted, created)
             SELECT ?2, message, CASE kind WHEN ?4 THEN kind ELSE ?5 END, ?2, namespace, copy_ttl, timestamp, copy, 1, ?3
             FROM outbox WHERE id = ?1 AND copy IS NOT NULL",
        )?;
        let (lane, now) = (Owner(Account::User(self.me()?.id)), Ms(now.at()));
        statement.execute(params![id.0, lane, now, JobKind::Other, JobKind::SyncCopy])?;
        Ok(())
    }

    /// Removes jobs whose fate is known: there is nothing to take back. How many there were.
    fn settle_jobs(&self, which: &str, key: i64) -> Result<usize, StoreError> {
        let settle = format!("UPDATE outbox SET attempted = 0 WHERE {which}");
        self.sql().prepare_cached(&settle)?.execute([key])?;
        let remove = format!("DELETE FROM outbox WHERE {which}");
        Ok(self.sql().prepare_cached(&remove)?.execute([key])?)
    }

    /// Read receipts that wait are not sent any more. How many there were.
    pub fn drop_receipts(&mut self) -> Result<usize, StoreError> {
        self.settle_jobs("kind = ?1 AND json_extract(wish, '$.kind') = 'read_receipt'", JobKind::Other as i64)
    }

    /// Our own swarm has a message of ours, as it came from there: nobody needs to store it there any more. False if
    /// nobody was going to.
    pub(super) fn outbox_came_back(&self, message: MessageId) -> Result<bool, StoreError> {
        Ok(self.settle_jobs("message = ?1 AND kind IN (1, 2)", message.0)? > 0)
    }

    /// Gives a job up. Its message, if it did not get out, becomes "failed" with this sentence; the job is kept for
    /// [`Db::outbox_resend`]. A job that changes no message is removed. Returns the message that changed.
    pub fn outbox_failed(
        &mut self,
        id: JobId,
        reason: &str,
    ) -> Result<Option<(ConversationId, MessageId)>, StoreError> {
        self.transaction(|db| {
            let Some(job) = db.outbox_job(id)? else { return Ok(None) };
            if job.kind == JobKind::Other {
                db.settle_jobs("id = ?1", id.0)?;
                return Ok(None);
            }
            db.sql().prepare_cached("UPDATE outbox SET given_up = 1 WHERE id = ?1")?.execute([id.0])?;
            if let (Some(message), JobKind::ToRecipient | JobKind::OwnNote) = (job.message, job.kind) {
                let mut statement =
                    db.sql().prepare_cached("UPDATE messages SET state = ?2, failure = ?3 WHERE id = ?1")?;
                statement.execute(params![message.0, MessageState::Failed, reason])?;
            }
            db.changed_by(job)
        })
    }

    /// Tries a failed message again, at the end of its lane: with the same bytes if any of them may be out, else as if
    /// it were written now. Returns whether there was something to send again.
    pub fn outbox_resend(&mut self, message: MessageId, now: Timestamp) -> Result<bool, StoreError> {
        self.transaction(|db| {
            // A new number puts it behind what waits already.
            let moved = db
                .sql()
                .prepare_cached(
                    "INSERT INTO outbox (lane, transport, message, kind, recipient, namespace, ttl, request,
                         after_success, timestamp, payload, copy, copy_ttl, wish, undated, attempted, created)
                     SELECT lane, transport, message, kind, recipient, namespace, ttl, request,
                         after_success, timestamp, payload, copy, copy_ttl, wish, undated, attempted, ?2
                     FROM outbox WHERE message = ?1 AND given_up = 1 ORDER BY id",
                )?
                .execute(params![message.0, Ms(now)])?;
            db.settle_jobs("message = ?1 AND given_up = 1", message.0)?;
            if moved == 0 {
                return Ok(false);
            }
            db.sql()
                .prepare_cached(
                    "UPDATE messages SET state = ?2, failure = NULL WHERE id = ?1 AND state = ?3",
                )?
                .execute(params![message.0, MessageState::Sending, MessageState::Failed])?;
            // What could not be prepared or uploaded is tried again too.
            db.sql()
                .prepare_cached(
                    "UPDATE attachments SET state = CASE original WHEN 1 THEN 7 ELSE 0 END, failure = NULL, attempts = 0, not_before = 0
                     WHERE message = ?1 AND state = 4 AND url IS NULL",
                )?
                .execute([message.0])?;
            Ok(true)
        })
    }

    /// Takes a message back that is not known to be sent, with its files and jobs. What may be out is asked to be
    /// deleted. False if it is sent.
    pub fn cancel_outgoing(&mut self, message: MessageId) -> Result<bool, StoreError> {
        let mut statement =
            self.sql().prepare_cached("DELETE FROM messages WHERE id = ?1 AND state IN (?2, ?3)")?;
        Ok(statement.execute(params![message.0, MessageState::Sending, MessageState::Failed])? > 0)
    }

    /// As [`Db::cancel_outgoing`], if nothing of the message can be out: then nobody will ever hear of it. False if some
    /// may be, or it is sent.
    pub fn cancel_untried(&mut self, message: MessageId) -> Result<bool, StoreError> {
        Ok(!self.is_attempted(message)? && self.cancel_outgoing(message)?)
    }

    /// A message is deleted on this device only: its copy still goes to our other ones.
    pub fn release_copy(&mut self, message: MessageId) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET message = NULL, kind = ?2 WHERE message = ?1 AND kind = ?3";
        self.sql().prepare_cached(sql)?.execute(params![message.0, JobKind::Other, JobKind::SyncCopy])?;
        Ok(())
    }

    /// Makes a message "sent" and starts its countdown (spec 02 §18.3: at the earlier of both clocks), if the time is
    /// known.
    pub(super) fn message_sent(
        &self,
        id: MessageId,
        hash: Option<MessageHash>,
        stored_at: Timestamp,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut statement =
            self.sql().prepare_cached("SELECT expiry_mode, expiry_seconds FROM messages WHERE id = ?1")?;
        let Some(value) = statement.query_row([id.0], |row| expiry(row, 0)).optional()? else {
            return Ok(());
        };
        let ends = match value {
            Expiry::Off => None,
            Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => {
                now.known().map(|now| stored_at.min(now) + u64::from(seconds) * 1000)
            }
        };
        let mut statement = self.sql().prepare_cached(
            "UPDATE messages SET state = ?2, failure = NULL, hash = coalesce(?3, hash),
                 expires_at = coalesce(expires_at, ?4) WHERE id = ?1",
        )?;
        statement.execute(params![id.0, MessageState::Sent, hash.map(Hash), ends.map(Ms)])?;
        Ok(())
    }

    /// Notes the hash a message has in our own swarm.
    pub(super) fn set_hash(&self, id: MessageId, hash: MessageHash) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("UPDATE messages SET hash = ?2 WHERE id = ?1")?
            .execute(params![id.0, Hash(hash)])?;
        Ok(())
    }

    fn changed_by(&self, job: Job) -> Result<Option<(ConversationId, MessageId)>, StoreError> {
        let Some(message) = job.message else { return Ok(None) };
        Ok(self.conversation_of(message)?.map(|conversation| (conversation, message)))
    }
}

/// A length of time as a column, in ms.
fn length(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let Owner(recipient) = row.get(2)?;
    Ok(Job {
        id: JobId(row.get(0)?),
        lane: Lane(row.get(11)?),
        transport: row.get(12)?,
        kind: row.get(1)?,
        recipient,
        namespace: Namespace(row.get(3)?),
        message: row.get::<_, Option<i64>>(4)?.map(MessageId),
        timestamp: time(row, 5)?,
        ttl_ms: row.get::<_, i64>(6)?.unsigned_abs(),
        encoded: row.get(7)?,
        created: time(row, 8)?,
        wish: dating::wish(row, 9)?,
        attempted: row.get(10)?,
    })
}
