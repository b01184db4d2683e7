//! Fetching files and display pictures (spec 04 §12, §13).
//!
//! What is wanted is in the store; this task takes the oldest wanted ones, at most three at a time, decrypts them and
//! keeps them in our own encrypted store. A file that the server does not have any more is marked as expired and not
//! asked for again. Other failures are tried again after 30 s, 30 min, 6 h and then every 6 h, ten times (spec 09
//! §2.3), and at once when a person asks, when the network comes back, or when the program starts.
//!
//! Decision: an attachment is shown as failed from the third failure on, though it goes on by itself; before that, as
//! one that waits to come. A person's asking forgets the failures so far; a network that comes back does not, so that a
//! line that comes and goes does not ask for ever.
//!
//! Decision: whether anybody still wants a file is asked in the transaction that would point at it; if not, because its
//! message disappeared, was deleted or its conversation was, the file is removed at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::attachment::{FileOpenError, FileUrl, Key, mime, picture};
use septet_protocol::time::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::{Engine, pace, uploads};
use crate::event::Event;
use crate::model::{AttachmentId, AttachmentState};
use crate::store::files::Unkept;
use crate::store::{Db, StoreError, StoredAttachment, TransferState, WantedPicture};

/// So many files come down at the same time.
const MOST_DOWNLOADS: usize = 3;
/// What failed without a fault of its own is not tried again for this long, unless the network comes back.
const HELD: Duration = Duration::from_secs(30);
/// Bounds of a sleep.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a task of ours fetches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Attachment(AttachmentId),
    Picture(String),
}

/// Fetches what is wanted until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut reconnects = Reconnects::of(&engine);
    let mut queue = Queue::default();
    // Nobody knows for how long the program was not there.
    queue.hasten(&engine).await;
    loop {
        if let Err(error) = queue.fill(&engine).await {
            tracing::warn!(%error, "wanted files cannot be looked up");
        }
        let wait = queue.wait(&engine);
        tokio::select! {
            () = cancel.cancelled() => break,
            // A person may have asked, who is not to wait.
            () = engine.bells.downloads.notified() => queue.release(),
            Some(ended) = queue.running.join_next_with_id() => queue.ended(ended),
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            back = reconnects.next() => match back {
                Some(()) => queue.hasten(&engine).await,
                None => break,
            },
        }
    }
    queue.running.shutdown().await;
}

/// What is being fetched, and what waits.
#[derive(Default)]
struct Queue {
    /// Each task tells whether its file is to be held back for a while.
    running: JoinSet<bool>,
    busy: BTreeMap<tokio::task::Id, Wanted>,
    /// Not to be tried again before: what failed without a fault of its own, as when the network is gone.
    held: BTreeMap<Wanted, Instant>,
    /// When the store has something due again.
    next: Option<Timestamp>,
}

impl Queue {
    /// Starts what is due as long as there is room.
    async fn fill(&mut self, engine: &Arc<Engine>) -> Result<(), StoreError> {
        self.held.retain(|_, until| *until > Instant::now());
        let now = engine.network.now();
        // As many as can be held or busy, and as many again.
        let limit = u32::try_from(self.held.len() + 2 * MOST_DOWNLOADS).unwrap_or(u32::MAX);
        let (due, pictures, next) = engine
            .store
            .read(move |db| {
                let due = db.transfers_due(TransferState::Download, now, limit)?;
                Ok((due, db.pictures_wanted()?, db.downloads_next(now)?))
            })
            .await?;
        self.next = next;
        for attachment in due {
            let task = Arc::clone(engine);
            let wanted = Wanted::Attachment(attachment.id);
            self.start(wanted, async move { fetch_attachment(&task, attachment).await });
        }
        for wish in pictures {
            let task = Arc::clone(engine);
            let wanted = Wanted::Picture(wish.source.url.clone());
            self.start(wanted, async move { fetch_picture(&task, wish).await });
        }
        Ok(())
    }

    /// Nothing waits any longer: the network is back, or the program has started.
    async fn hasten(&mut self, engine: &Engine) {
        self.held.clear();
        if let Err(error) = engine.store.call(|db| db.downloads_hasten()).await {
            tracing::warn!(%error, "waiting files cannot be brought forward");
        }
    }

    /// No attachment is held back any longer; pictures are, which nobody asks for by hand.
    fn release(&mut self) {
        self.held.retain(|wanted, _| matches!(wanted, Wanted::Picture(_)));
    }

    /// Starts a task if there is room, and none of its kind.
    fn start(&mut self, wanted: Wanted, task: impl Future<Output = bool> + Send + 'static) {
        let room = self.running.len() < MOST_DOWNLOADS;
        if room && !self.held.contains_key(&wanted) && !self.busy.values().any(|other| *other == wanted) {
            let handle = self.running.spawn(task);
            self.busy.insert(handle.id(), wanted);
        }
    }

    /// Notes that a task ended.
    fn ended(&mut self, ended: Result<(tokio::task::Id, bool), JoinError>) {
        let (id, hold) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), true),
        };
        if let Some(wanted) = self.busy.remove(&id)
            && hold
        {
            self.held.insert(wanted, Instant::now() + HELD);
        }
    }

    /// How long until something is due again; bounded, so that a machine that slept looks at the clock again.
    fn wait(&self, engine: &Engine) -> Option<Duration> {
        if self.running.len() >= MOST_DOWNLOADS {
            return None;
        }
        let due = self.next.map(|at| Duration::from_millis(at.since(engine.network.now())));
        let freed = self.held.values().min().map(|at| at.saturating_duration_since(Instant::now()));
        let wait = due.into_iter().chain(freed).min()?;
        Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
    }
}

/// Why a file is not here.
enum Failure {
    /// The server does not have it any more.
    Expired,
    /// It is not what its message says; trying again will not help.
    Useless(String),
    /// It may work later.
    Later(String),
    /// There is no network: no attempt at all.
    Offline,
    /// Somebody stopped it.
    Cancelled,
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Offline => Self::Offline,
            NetworkError::FileGone => Self::Expired,
            NetworkError::FileTooLarge => Self::Useless(error.to_string()),
            NetworkError::Cancelled => Self::Cancelled,
            other => Self::Later(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

impl From<FileOpenError> for Failure {
    fn from(error: FileOpenError) -> Self {
        Self::Useless(error.to_string())
    }
}

/// Fetches an attachment and writes down what became of it; tells whether to hold it back for a while.
async fn fetch_attachment(engine: &Arc<Engine>, attachment: StoredAttachment) -> bool {
    let (id, message, conversation) = (attachment.id, attachment.message, attachment.conversation);
    let claimed = attachment.content_type.clone();
    let result = match fetch(engine, attachment).await {
        Err(Failure::Offline) => return true,
        result => result,
    };
    let retyped = result.as_ref().is_ok_and(|fetched| fetched.content_type != claimed);
    let now = engine.network.now();
    let written = engine
        .store
        .call(move |db| match result {
            Ok(Fetched { file, content_type }) => {
                if !db.attachment_downloaded(id, file.name(), &content_type)? {
                    return Ok(None);
                }
                file.keep();
                Ok(Some(AttachmentState::Local))
            }
            Err(Failure::Expired) => {
                db.attachment_expired(id)?;
                Ok(Some(AttachmentState::Expired))
            }
            Err(Failure::Cancelled) => Ok(db.attachment_unwanted(id)?.then_some(AttachmentState::Remote)),
            Err(Failure::Useless(reason)) => {
                db.attachment_failed(id, &reason)?;
                Ok(Some(AttachmentState::Failed { reason }))
            }
            Err(Failure::Offline) => Ok(None),
            Err(Failure::Later(reason)) => later(db, id, now, reason),
        })
        .await;
    match written {
        Ok(Some(state)) => {
            if state == AttachmentState::Local && retyped {
                engine.events.send(Event::Changed { conversation, message });
            }
            engine.events.send(Event::Attachment { conversation, message, attachment: id, state });
        }
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%error, "what became of a file cannot be written down");
            return true;
        }
    }
    false
}

/// Lets an attachment that failed at `now` wait for its next attempt, or gives it up after the last; returns how it is
/// shown from now on, `None` if nobody wants it any more.
fn later(
    db: &mut Db,
    id: AttachmentId,
    now: Timestamp,
    reason: String,
) -> Result<Option<AttachmentState>, StoreError> {
    // Counted here and not when the attempt began: a person may have asked anew meanwhile.
    let Some(stored) = db.attachment(id)?.filter(|it| it.state == TransferState::Download) else {
        return Ok(None);
    };
    let failures = stored.attempts.saturating_add(1);
    let shown = pace::download_shown_failed(failures);
    let wait = if stored.preview { pace::preview(failures) } else { pace::download(failures) };
    match wait {
        Some(wait) => {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            db.attachment_retry(id, now + wait, shown.then_some(&reason))?;
        }
        None => db.attachment_failed(id, &reason)?,
    }
    Ok(Some(match shown {
        true => AttachmentState::Failed { reason },
        // What came so far is lost.
        false => AttachmentState::Downloading { done: 0, total: 0 },
    }))
}

/// A file that has come.
struct Fetched {
    file: Unkept,
    /// What it is, see [`mime::received`].
    content_type: String,
}

/// Downloads, decrypts and stores an attachment.
async fn fetch(engine: &Arc<Engine>, attachment: StoredAttachment) -> Result<Fetched, Failure> {
    let pointer = uploads::pointer(&attachment);
    let url = pointer.url.clone().ok_or_else(|| Failure::Useless("its address is not usable".to_owned()))?;
    let (id, message, conversation) = (attachment.id, attachment.message, attachment.conversation);
    let told = Arc::clone(engine);
    let progress = move |done, total| {
        let state = AttachmentState::Downloading { done, total };
        if told.transfers.note(id, state.clone()) {
            told.events.send(Event::Attachment { conversation, message, attachment: id, state });
        }
    };
    let underway = engine.transfers.begin(id);
    // Looked at only now: what goes from here on is noticed by those who stop transfers.
    if engine.is_gone(id).await? {
        return Err(Failure::Cancelled);
    }
    let blob = engine.network.download(&url, progress, underway.cancel.clone()).await?;
    let files = engine.store.files().clone();
    let stored = tokio::task::spawn_blocking(move || {
        let plain = pointer.open(&blob)?;
        let content_type = mime::received(&pointer.content_type, &plain).to_owned();
        Ok(Fetched { file: files.write_unkept(&plain)?, content_type })
    });
    stored.await.map_err(|_| Failure::Later("stopped".to_owned()))?
}

/// Fetches a display picture and writes down what became of it; tells whether to hold it back for a while.
async fn fetch_picture(engine: &Arc<Engine>, wish: WantedPicture) -> bool {
    let result = match download_picture(engine, &wish).await {
        Err(Failure::Offline) => return true,
        Err(Failure::Later(reason)) => {
            tracing::debug!(%reason, "a display picture waits");
            return true;
        }
        result => result,
    };
    let whose = wish.id;
    let written = engine
        .store
        .call(move |db| match result {
            Ok(file) => {
                // Somebody may have another picture by now, whose file this is not.
                if db.picture_fetched(wish.id, &wish.source, file.name())? {
                    file.keep();
                }
                db.find_conversation(&wish.id.into())
            }
            Err(_) => db.picture_failed(wish.id, &wish.source).map(|_| None),
        })
        .await;
    match written {
        Ok(row) => {
            if whose == engine.me() {
                engine.events.send(Event::Profile);
            }
            if let Some(row) = row {
                engine.events.send(Event::Conversation(row));
            }
        }
        Err(error) => {
            tracing::warn!(%error, "what became of a picture cannot be written down");
            return true;
        }
    }
    false
}

/// Downloads, decrypts and stores a display picture.
async fn download_picture(engine: &Arc<Engine>, wish: &WantedPicture) -> Result<Unkept, Failure> {
    let useless = || Failure::Useless("its address or key is not usable".to_owned());
    let url: FileUrl = wish.source.url.parse().map_err(|_| useless())?;
    let key = Key::<32>::from_slice(&wish.source.key).ok_or_else(useless)?;
    let blob = engine.network.download(&url, |_, _| {}, CancellationToken::new()).await?;
    let files = engine.store.files().clone();
    let stored = tokio::task::spawn_blocking(move || {
        let plain = picture::decrypt(&blob, &key, &url)?;
        files.write_unkept(&plain).map_err(Failure::from)
    });
    stored.await.map_err(|_| Failure::Later("stopped".to_owned()))?
}

#[cfg(test)]
mod unwanted;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::transfers::{shown, wanted};
    use crate::store::tests::{NOW, db};

    const COMING: AttachmentState = AttachmentState::Downloading { done: 0, total: 0 };

    fn fails(db: &mut Db, id: AttachmentId) -> Option<AttachmentState> {
        later(db, id, NOW, "no answer".to_owned()).unwrap()
    }

    #[test]
    fn a_download_goes_on_after_ten_failures_and_ends_with_the_eleventh() {
        let mut db = db();
        let (message, id) = wanted(&mut db);
        let failed = AttachmentState::Failed { reason: "no answer".to_owned() };
        for failures in 1..=11 {
            let told = if failures < 3 { &COMING } else { &failed };
            assert_eq!(fails(&mut db, id).as_ref(), Some(told), "after {failures} failures");
            assert_eq!(shown(&db, message), *told, "what is told is what is stored");
            assert_eq!(db.downloads_next(NOW).unwrap().is_some(), failures < 11, "after {failures} failures");
        }
    }

    #[test]
    fn an_attempt_that_fails_after_a_click_is_the_first_failure() {
        let mut db = db();
        let (_, id) = wanted(&mut db);
        for _ in 1..=5 {
            fails(&mut db, id);
        }
        assert!(db.attachment_wanted(id).unwrap());
        assert_eq!(fails(&mut db, id), Some(COMING));
        assert_eq!(db.attachment(id).unwrap().unwrap().attempts, 1);
        assert!(db.attachment_unwanted(id).unwrap());
        assert_eq!(fails(&mut db, id), None, "nobody wants it any more");
    }
}
