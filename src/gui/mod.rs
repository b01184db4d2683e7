//! The window.
//!
//! It is a library of views. A view is a function of `&mut Ui`, its own small state and one context
//! ([`view::ViewCtx`]): it draws what is known of the account ([`state::AppState`]) and sends a
//! [`command::Command`] for whatever the person does. Another thread owns the account, carries commands out, and
//! answers with [`command::Update`]s, each of which wakes the window for one frame. So the window never waits, an
//! idle window draws nothing, and tests, pictures and benches need no account at all.

pub mod actions;
pub mod animations;
pub mod app;
pub mod attached;
pub mod backend;
pub mod clip;
pub mod clock;
pub mod command;
mod countdown;
pub mod crop;
pub mod fonts;
pub mod icons;
pub mod image_key;
pub mod images;
pub mod own_picture;
pub mod preferences;
pub mod screens;
pub mod sound;
pub mod state;
pub mod strings;
pub mod text;
pub mod theme;
pub mod view;
pub mod widgets;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};

use anyhow::Context as _;
use septet_client::client::OpenOptions;

pub use backend::Opened;

/// Where the account comes from.
pub enum Source {
    /// The one in this folder; without one, the window begins with the first run.
    Profile {
        /// The profile's folder.
        folder: PathBuf,
        /// Network and key protection.
        options: Box<OpenOptions>,
    },
    /// One that is made ready while the window is already there.
    Prepared(Pin<Box<dyn Future<Output = anyhow::Result<Opened>> + Send>>),
}

/// How to open the window.
pub struct Options {
    /// Where the account comes from.
    pub source: Source,
    /// What the window is called.
    pub title: String,
}

impl Options {
    /// The account of a profile.
    pub fn new(folder: PathBuf, options: OpenOptions) -> Self {
        Self { source: Source::Profile { folder, options: Box::new(options) }, title: TITLE.to_owned() }
    }

    /// An account that a future makes ready; the window shows at once and fills when it is done.
    pub fn prepared(prepare: impl Future<Output = anyhow::Result<Opened>> + Send + 'static) -> Self {
        Self { source: Source::Prepared(Box::pin(prepare)), title: TITLE.to_owned() }
    }
}

/// The window's title, and what desktops know the program by.
const TITLE: &str = "Septet";

/// Shows the window until it is closed, then stops the account.
///
/// # Errors
/// If no window can be had: no display, no graphics; or no thread.
pub fn run(options: Options) -> anyhow::Result<()> {
    let begun = std::time::Instant::now();
    let account = Arc::new(Mutex::new(None));
    let started = Arc::clone(&account);
    let Options { source, title } = options;
    let preferences = match &source {
        Source::Profile { folder, .. } => preferences::Preferences::load(folder),
        Source::Prepared(_) => preferences::Preferences::default(),
    };
    let native = eframe::NativeOptions {
        viewport: preferences
            .window()
            .with_title(&title)
            .with_app_id("septet")
            .with_icon(widgets::mark::icon()),
        ..Default::default()
    };
    let shown = eframe::run_native(
        &title,
        native,
        Box::new(move |context| {
            let (commands, to_account) = tokio::sync::mpsc::unbounded_channel();
            let (to_window, updates) = mpsc::channel();
            let teller = backend::Teller::new(to_window, context.egui_ctx.clone());
            let window = teller.clone();
            fonts::find_emoji(move |font| window.tell(command::Update::EmojiFont(font)));
            let thread = backend::start(source, to_account, teller)?;
            if let Ok(mut started) = started.lock() {
                *started = Some(thread);
            }
            let mut window = app::Window::new(&context.egui_ctx, commands, updates, clock::Clock::system());
            window.set_preferences(&context.egui_ctx, preferences);
            tracing::debug!("the window was there after {} ms", begun.elapsed().as_millis());
            Ok(Box::new(window))
        }),
    );
    let thread = account.lock().ok().and_then(|mut account| account.take());
    if let Some(thread) = thread
        && thread.join().is_err()
    {
        tracing::error!("the account's thread ended early");
    }
    shown.map_err(|error| anyhow::anyhow!("{error}")).context("The window cannot be shown")
}
