//! The account's side of the window: carries out commands, tells what came of them.
//!
//! Decision: it lives on threads of its own, with a runtime of its own. Commands on the account are carried out one
//! after the other, so that what was typed is kept before it is sent; what may take long (dialogs, decoding, asking
//! the network) runs beside them.

mod animation;
mod clipboard;
mod conversation;
mod files;
mod messages;
mod open;
mod opened;
mod own_picture;
mod pictures;
mod previews;
mod privacy;
mod qr;
mod sound;
mod writing;

pub use open::{Opened, Stop};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use septet_audio::Device;
use septet_client::client::{Client, ClientError};
use septet_client::event::Event;
use septet_client::model::{Address, ConversationId, Draft, MessageId, MessageState, Page};
use septet_protocol::account::DisplayName;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::UnboundedReceiver;
use zeroize::Zeroizing;

use super::Source;
use super::attached::FileWish;
use super::command::{Command, RecoveryWords, Toast, Update};
use super::preferences::Preferences;
use super::state::PAGE;
use opened::OpenFiles;
use own_picture::OwnPicture;
use previews::Previews;
use sound::Sounds;

/// Changes of the list within this time are told at once.
const GATHER: Duration = Duration::from_millis(15);
/// Of more rows than this the whole list is told.
const MOST_ROWS: usize = 50;
/// How long stopping may take before the program ends all the same.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Tells the window something and wakes it.
#[derive(Clone)]
pub struct Teller {
    updates: Sender<Update>,
    ctx: egui::Context,
}

impl Teller {
    /// Updates go to `updates`; `ctx` is woken.
    pub fn new(updates: Sender<Update>, ctx: egui::Context) -> Self {
        Self { updates, ctx }
    }

    /// Tells it. A window that is gone needs no news.
    pub fn tell(&self, update: Update) {
        if self.updates.send(update).is_ok() {
            self.ctx.request_repaint();
        }
    }

    fn problem(&self, error: &impl std::fmt::Display) {
        self.tell(Update::Toast(Toast::bad(sentence(error))));
    }
}

/// An error as a sentence.
pub fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let mut out: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    out.push_str(chars.as_str());
    if !out.ends_with(['.', '!', '?', '…']) {
        out.push('.');
    }
    out
}

/// Starts the account's side. The thread ends when the window drops its end of `commands`, after the account stopped.
pub fn start(
    source: Source,
    commands: UnboundedReceiver<Command>,
    teller: Teller,
) -> std::io::Result<JoinHandle<()>> {
    start_with(source, commands, teller, septet_audio::device::of_this_machine())
}

/// The same with a microphone and a speaker of the caller's choice.
pub fn start_with(
    source: Source,
    commands: UnboundedReceiver<Command>,
    teller: Teller,
    device: Arc<dyn Device>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("account".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        match runtime {
            Ok(runtime) => {
                runtime.block_on(live(source, commands, teller, device));
                runtime.shutdown_timeout(Duration::from_millis(500));
            }
            Err(error) => teller.tell(Update::Broken(sentence(&error))),
        }
    })
}

/// From the first command to the last.
async fn live(
    source: Source,
    mut commands: UnboundedReceiver<Command>,
    teller: Teller,
    device: Arc<dyn Device>,
) {
    let folder = match &source {
        Source::Profile { folder, .. } => Some(folder.clone()),
        Source::Prepared(_) => None,
    };
    let Some(opened) = open::open(source, &mut commands, &teller).await else { return };
    let picture = OwnPicture::new(opened.client.clone(), teller.clone());
    let previews = Previews::new(opened.client.clone(), teller.clone());
    let open_files = OpenFiles::new(&opened.client, folder.as_deref());
    let sounds = Sounds::new(opened.client.clone(), teller.clone(), device);
    let account = Account {
        previews,
        open_files: open_files.clone(),
        client: opened.client,
        teller,
        picture,
        sounds,
        folder,
        shown: None,
        stale: true,
        rows: BTreeSet::new(),
    };
    account.client.start();
    let client = account.client.clone();
    if let Some(conversation) = opened.conversation {
        account.teller.tell(Update::OpenConversation(conversation));
    }
    account.serve(&mut commands).await;
    open_files.clear();
    let stop = async {
        client.stop().await;
        if let Some(stop) = opened.stop {
            stop.await;
        }
    };
    if tokio::time::timeout(STOP_WITHIN, stop).await.is_err() {
        tracing::warn!("the account did not stop in time; what is on disk is complete");
    }
}

/// What needs no account.
fn aside(teller: &Teller, command: Command) {
    let teller = teller.clone();
    match command {
        Command::CopySecret(secret) => clipboard::copy(teller, secret),
        Command::PickQr => qr::pick(teller),
        Command::ReadQrFile(path) => qr::read_file(teller, path),
        Command::ReadQr(picture) => qr::read_picture(teller, picture),
        _ => {}
    }
}

/// An open account that serves the window.
struct Account {
    client: Client,
    teller: Teller,
    picture: OwnPicture,
    previews: Previews,
    open_files: OpenFiles,
    sounds: Sounds,
    /// The profile's folder, if it is one that stays.
    folder: Option<PathBuf>,
    /// The conversation shown last.
    shown: Option<ConversationId>,
    /// The list changed since it was told.
    stale: bool,
    /// Rows of it that did.
    rows: BTreeSet<ConversationId>,
}

impl Account {
    async fn serve(mut self, commands: &mut UnboundedReceiver<Command>) {
        let mut events = self.client.subscribe();
        self.teller.tell(Update::Connection(self.client.connection()));
        self.teller.tell(Update::Settings(self.client.settings()));
        privacy::tell_clock(&self.client, &self.teller);
        self.teller.tell(Update::LinkPreviews(self.client.link_previews_choice()));
        self.tell_list().await;
        self.tell_update_wanted().await;
        messages::tell_recent(&self.client, &self.teller).await;
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => {
                        if let Err(error) = self.carry_out(command).await {
                            self.teller.problem(&error);
                        }
                    }
                    None => return self.sounds.end().await,
                },
                event = events.recv() => match event {
                    Ok(event) => self.pass_on(event).await,
                    Err(RecvError::Lagged(_)) => {
                        self.stale = true;
                        if let Some(shown) = self.shown {
                            self.teller.tell(Update::Stale(shown));
                        }
                    }
                    Err(RecvError::Closed) => return,
                },
                () = tokio::time::sleep(GATHER), if self.stale || !self.rows.is_empty() => {
                    self.tell_changes().await;
                }
            }
        }
    }

    /// Tells what changed of the list.
    async fn tell_changes(&mut self) {
        if self.stale || self.rows.len() > MOST_ROWS {
            return self.tell_list().await;
        }
        for id in std::mem::take(&mut self.rows) {
            match self.client.conversation(id).await {
                Ok(Some(row)) => self.teller.tell(Update::Conversation(Box::new(row))),
                Ok(None) => {}
                Err(error) => self.teller.problem(&error),
            }
        }
    }

    async fn tell_list(&mut self) {
        self.stale = false;
        self.rows.clear();
        match self.client.conversations().await {
            Ok(list) => self.teller.tell(Update::Conversations(Arc::new(list))),
            Err(error) => self.teller.problem(&error),
        }
    }

    /// Tells the window what happened.
    async fn pass_on(&mut self, event: Event) {
        let gone = matches!(
            event,
            Event::Deleted { .. } | Event::Changed { .. } | Event::Messages(_) | Event::Conversations
        );
        if gone {
            self.open_files.tidy(&self.client).await;
        }
        match event {
            Event::Message(message) => {
                self.rows.insert(message.conversation);
                self.teller.tell(Update::Message(message));
            }
            Event::State { conversation, message, state: MessageState::Failed } => {
                self.rows.insert(conversation);
                self.tell_message(conversation, message).await;
            }
            Event::State { conversation, message, state } => {
                self.rows.insert(conversation);
                self.teller.tell(Update::State { conversation, message, state });
            }
            Event::Attachment { conversation, message, attachment, state } => {
                self.teller.tell(Update::Attachment { conversation, message, attachment, state });
            }
            Event::Changed { conversation, message }
            | Event::Reaction { conversation, message, .. }
            | Event::Deleted { conversation, message }
            | Event::Read { conversation, message, .. } => {
                self.rows.insert(conversation);
                self.tell_message(conversation, message).await;
            }
            Event::Seen { conversation, message } => {
                self.teller.tell(Update::Seen(conversation, message));
            }
            Event::Messages(conversation) => {
                self.rows.insert(conversation);
                self.teller.tell(Update::Stale(conversation));
            }
            Event::Conversation(id) | Event::Request(id) => _ = self.rows.insert(id),
            Event::Conversations => self.stale = true,
            Event::Profile => match self.client.profile().await {
                Ok(profile) => self.teller.tell(Update::Profile(profile)),
                Err(error) => self.teller.problem(&error),
            },
            Event::UpdateWanted => self.tell_update_wanted().await,
            Event::Connection(connection) => {
                self.teller.tell(Update::Connection(connection));
                privacy::tell_clock(&self.client, &self.teller);
            }
            Event::Problem(problem) => self.teller.tell(Update::Toast(Toast::bad(problem))),
            Event::Typing { conversation, typing, .. } => {
                self.teller.tell(Update::Typing(conversation, typing));
            }
            Event::Synced => privacy::tell_clock(&self.client, &self.teller),
        }
    }

    async fn tell_update_wanted(&self) {
        match self.client.update_wanted().await {
            Ok(wanted) => self.teller.tell(Update::UpdateWanted(wanted)),
            Err(error) => self.teller.problem(&error),
        }
    }

    async fn tell_message(&self, conversation: ConversationId, id: MessageId) {
        match self.client.message(id).await {
            Ok(Some(message)) => self.teller.tell(Update::Message(Box::new(message))),
            Ok(None) => self.teller.tell(Update::Gone(conversation, id)),
            Err(error) => self.teller.problem(&error),
        }
    }

    async fn carry_out(&mut self, command: Command) -> Result<(), ClientError> {
        let client = &self.client;
        match command {
            // There is an account already.
            Command::CreateAccount { .. } | Command::Restore(_) | Command::CancelRestore => {}
            Command::Show(id) => self.show(id).await?,
            Command::Open(address) => self.open(&address).await?,
            Command::Load { conversation, page, limit } => self.load(conversation, page, limit).await?,
            Command::Send { conversation, draft } => self.send(conversation, draft).await,
            Command::DismissUpdateNotice => {
                client.dismiss_update_notice().await?;
                self.tell_update_wanted().await;
            }
            Command::Resend(id) => client.resend(id).await?,
            Command::Cancel(id) => client.cancel(id).await?,
            Command::React { message, emoji, remove } => {
                messages::react(client, &self.teller, message, &emoji, remove).await?;
            }
            Command::NoteEmoji(emoji) => {
                client.note_emoji(&emoji).await?;
                messages::tell_recent(client, &self.teller).await;
            }
            Command::Delete { messages, everyone } => {
                messages::delete(client, &self.teller, &messages, everyone).await?;
            }
            Command::UndoDelete(ids) => client.undo_delete(&ids).await?,
            Command::SaveAll(files) => messages::save_all(client.clone(), self.teller.clone(), files),
            Command::MarkRead { conversation, up_to } => client.mark_read(conversation, up_to).await?,
            Command::SetDraft { conversation, draft } => client.set_draft(conversation, draft).await?,
            Command::FetchPreview { conversation, url } => self.previews.fetch(conversation, url),
            Command::SetLinkPreviews(on) => previews::switch(client, &self.teller, on).await?,
            Command::LoadDraft(id) => writing::load(client, &self.teller, id).await?,
            Command::Accept(id) => client.accept(id).await?,
            Command::Decline(id) => client.decline(id).await?,
            Command::DeclineAll => _ = client.decline_all().await?,
            Command::Block(id) => client.block(id).await?,
            Command::Unblock(id) => client.unblock(id).await?,
            Command::Pin(id, pinned) => client.pin(id, pinned).await?,
            Command::Change(id, change) => conversation::change(client, id, change).await?,
            Command::Typing(id, what) => client.typing(id, what),
            Command::SetReadReceipts(_) | Command::SetTypingIndicators(_) => {
                privacy::change(client, &self.teller, command).await?;
            }
            Command::Download(id) => client.download(id).await?,
            Command::StopTransfer(id) => client.cancel_download(id).await?,
            Command::SaveAs { attachment, name } => {
                files::save_as(self.client.clone(), self.teller.clone(), attachment, name);
            }
            Command::File(wish) => self.file(wish).await?,
            Command::PickFiles(id) => writing::pick(client.clone(), self.teller.clone(), id),
            Command::StagePicture(id, image) => {
                writing::stage_picture(client.clone(), self.teller.clone(), id, image);
            }
            Command::Stage(id, paths) => writing::stage(client, &self.teller, id, paths).await,
            Command::LoadImage(key, side) => {
                pictures::load(self.client.clone(), self.teller.clone(), key, side);
            }
            Command::Recovery => {
                let recovery = client.recovery().await?;
                self.teller.tell(Update::Recovery(RecoveryWords {
                    phrase: Zeroizing::new(recovery.phrase.to_string()),
                    bip39: Zeroizing::new(recovery.bip39.to_string()),
                    hex: Zeroizing::new(recovery.hex.to_string()),
                }));
            }
            Command::SetName(name) => self.set_name(&name).await?,
            Command::OwnPicture(wish) => self.picture.carry_out(wish),
            Command::Sound(wish) => self.sounds.carry_out(wish).await?,
            Command::SavePng { name, picture } => files::save_png(self.teller.clone(), name, picture),
            Command::Resolve(name) => self.resolve(name),
            Command::KeepPreferences(preferences) => self.keep(preferences),
            Command::CopySecret(_) | Command::PickQr | Command::ReadQr(_) | Command::ReadQrFile(_) => {
                aside(&self.teller, command);
            }
        }
        Ok(())
    }

    async fn file(&self, wish: FileWish) -> Result<(), ClientError> {
        let (client, teller) = (self.client.clone(), self.teller.clone());
        match wish {
            FileWish::Let(conversation, downloads) => client.set_downloads(conversation, downloads).await?,
            FileWish::Open { attachment, warned } => {
                let open_files = self.open_files.clone();
                tokio::spawn(async move { open_files.open(client, teller, attachment, warned).await });
            }
            FileWish::Animate(key, side) => animation::load(client, teller, key, side),
        }
        Ok(())
    }

    fn keep(&self, preferences: Preferences) {
        let Some(folder) = self.folder.clone() else { return };
        let teller = self.teller.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = preferences.save(&folder) {
                teller.problem(&error);
            }
        });
    }

    async fn show(&mut self, id: ConversationId) -> Result<(), ClientError> {
        self.shown = Some(id);
        let Some(conversation) = self.client.conversation(id).await? else { return Ok(()) };
        if conversation.marked_unread {
            self.client.mark_unread(id, false).await?;
        }
        let limit = (conversation.unread + 30).clamp(PAGE, 400);
        self.load(id, Page::Newest, limit).await
    }

    /// The list is told first, so that there is something to show.
    async fn open(&mut self, address: &Address) -> Result<(), ClientError> {
        let id = match self.client.find_conversation(address).await? {
            Some(id) => id,
            None => self.client.open_conversation(address).await?.id,
        };
        self.tell_list().await;
        self.teller.tell(Update::OpenConversation(id));
        Ok(())
    }

    async fn load(&self, conversation: ConversationId, page: Page, limit: u32) -> Result<(), ClientError> {
        let messages = self.client.messages(conversation, page, limit).await?;
        // What one wanted to see the surroundings of is gone: the view stays where it is.
        if let Page::Around(id) = page
            && !messages.messages.iter().any(|message| message.id == id)
        {
            self.teller.tell(Update::NotHere(conversation, id));
        } else {
            self.teller.tell(Update::Page { conversation, page, messages });
        }
        Ok(())
    }

    async fn send(&mut self, conversation: ConversationId, draft: Draft) {
        if let Some(id) = writing::send(&self.client, &self.teller, conversation, draft).await {
            self.tell_message(conversation, id).await;
        }
        self.rows.insert(conversation);
    }

    async fn set_name(&self, name: &str) -> Result<(), ClientError> {
        match DisplayName::parse(name) {
            Ok(name) => self.client.set_name(name).await,
            Err(error) => {
                self.teller.problem(&error);
                Ok(())
            }
        }
    }

    fn resolve(&self, name: String) {
        let (client, teller) = (self.client.clone(), self.teller.clone());
        tokio::spawn(async move {
            let found = client.resolve_name(&name).await.map(Address::from).map_err(|error| sentence(&error));
            teller.tell(Update::Resolved(name, found));
        });
    }
}
