//! A window on a real account and a local network.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, Node};
use septet::gui::Source;
use septet::gui::app::Window;
use septet::gui::backend::{self, Teller};
use septet::gui::clock::Clock;
use septet_audio::fake::FakeDevice;
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::ConversationId;
use septet_devnet::Devnet;
use septet_network::NetworkConfig;

/// Long enough for a loaded machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A window on a real account, drawn whenever it asks for it.
pub struct Real {
    pub harness: Harness<'static, Option<Window>>,
    woken: mpsc::Receiver<()>,
    account: JoinHandle<()>,
}

impl Real {
    pub fn open(folder: &Path, options: OpenOptions) -> Self {
        Self::open_with(folder, options, FakeDevice::default())
    }

    /// With this microphone and speaker.
    pub fn open_with(folder: &Path, options: OpenOptions, device: FakeDevice) -> Self {
        let (wake, woken) = mpsc::channel();
        let (hand_over, started) = mpsc::channel();
        let mut source = Some(Source::Profile { folder: folder.to_owned(), options: Box::new(options) });
        let mut harness =
            Harness::builder().with_size([1200.0, 820.0]).allow_missing_glyphs().build_ui_state(
                move |ui: &mut egui::Ui, window: &mut Option<Window>| {
                    if let Some(source) = source.take() {
                        let wake = wake.clone();
                        ui.ctx().set_request_repaint_callback(move |_| {
                            wake.send(()).ok();
                        });
                        let (commands, to_account) = tokio::sync::mpsc::unbounded_channel();
                        let (to_window, updates) = mpsc::channel();
                        let teller = Teller::new(to_window, ui.ctx().clone());
                        let device = Arc::new(device.clone());
                        let thread = backend::start_with(source, to_account, teller, device).unwrap();
                        hand_over.send(thread).unwrap();
                        *window = Some(Window::new(ui.ctx(), commands, updates, Clock::system()));
                        return;
                    }
                    let all = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
                    window.as_mut().unwrap().ui(&mut ui.new_child(all));
                },
                None,
            );
        harness.step();
        Self { harness, woken, account: started.recv().unwrap() }
    }

    /// Draws until this can be found.
    pub fn wait<'a>(
        &'a mut self,
        find: impl for<'n> Fn(&'n Harness<'static, Option<Window>>) -> Option<Node<'n>>,
    ) -> Node<'a> {
        let deadline = Instant::now() + PATIENCE;
        while find(&self.harness).is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it did not appear in time: {:?}", self.harness);
            self.woken.recv_timeout(left).ok();
            while self.woken.try_recv().is_ok() {}
            self.harness.step();
        }
        find(&self.harness).unwrap()
    }

    /// Draws until this is gone.
    pub fn wait_gone(
        &mut self,
        find: impl for<'n> Fn(&'n Harness<'static, Option<Window>>) -> Option<Node<'n>>,
    ) {
        let deadline = Instant::now() + PATIENCE;
        while find(&self.harness).is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it did not go in time: {:?}", self.harness);
            self.woken.recv_timeout(left.min(Duration::from_millis(200))).ok();
            while self.woken.try_recv().is_ok() {}
            self.harness.step();
        }
    }

    pub fn wait_label<'a>(&'a mut self, label: &'static str) -> Node<'a> {
        self.wait(move |harness| harness.query_all_by_label_contains(label).last())
    }

    pub fn click(&mut self, label: &'static str) {
        self.wait_label(label).click();
        self.harness.run_steps(3);
    }

    pub fn write(&mut self, text: &str) {
        self.wait(|harness| harness.query_by_role_and_label(Role::MultilineTextInput, "Message")).focus();
        self.harness.run_steps(2);
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.run_steps(2);
        self.harness.key_press(Key::Enter);
        self.harness.run_steps(2);
    }

    /// Draws until something beside the window has come about.
    pub fn until(&mut self, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "it did not come about in time: {:?}", self.harness);
            self.woken.recv_timeout(Duration::from_millis(20)).ok();
            self.harness.step();
        }
    }

    /// Makes an account of this name.
    pub fn first_run(&mut self, name: &str) {
        self.click("Create account");
        self.wait(|harness| harness.query_by_role_and_label(Role::TextInput, "Display name")).type_text(name);
        self.harness.run_steps(2);
        self.harness.key_press(Key::Enter);
        self.harness.run_steps(2);
        self.click("Later");
        self.wait_label("No conversations yet");
    }

    /// Opens what is found first with this text.
    pub fn find(&mut self, text: &str) {
        self.search(text);
        self.harness.key_press(Key::Enter);
        self.harness.run_steps(2);
    }

    /// Puts a text into the search field.
    pub fn search(&mut self, text: &str) {
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
        self.harness.run_steps(2);
        self.harness.event(egui::Event::Paste(text.to_owned()));
        self.harness.run_steps(2);
    }

    /// Closes the window and waits for the account to stop.
    pub fn close(mut self) {
        *self.harness.state_mut() = None;
        drop(self.harness);
        self.account.join().unwrap();
    }
}

pub fn options(net: &Devnet) -> OpenOptions {
    let network = NetworkConfig::from_toml(&net.network_toml()).unwrap();
    OpenOptions::new(network).key_protection(KeyProtection::KeyFile)
}

/// The accessible name of a node.
pub fn label(node: &Node<'_>) -> String {
    use egui_kittest::kittest::NodeT;
    node.accesskit_node().label().unwrap_or_default()
}

/// Waits for a message request.
pub async fn request(client: &Client) -> ConversationId {
    let mut events = client.subscribe();
    loop {
        let list = client.conversations().await.unwrap();
        if let Some(conversation) = list.iter().find(|conversation| conversation.is_request()) {
            return conversation.id;
        }
        events.recv().await.ok();
    }
}
