//! The whole program: the window, the account behind it, and a local network with somebody on it.

use std::path::Path;
use std::sync::mpsc;
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
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::{ConversationId, Draft, OutgoingFile, Page};
use septet_devnet::Devnet;
use septet_network::NetworkConfig;
use septet_protocol::account::DisplayName;

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
        let (wake, woken) = mpsc::channel();
        let (hand_over, started) = mpsc::channel();
        let mut source = Some(Source::Profile { folder: folder.to_owned(), options });
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
                        hand_over.send(backend::start(source, to_account, teller).unwrap()).unwrap();
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

    pub fn wait_label<'a>(&'a mut self, label: &'static str) -> Node<'a> {
        self.wait(move |harness| harness.query_all_by_label_contains(label).last())
    }

    pub fn click(&mut self, label: &'static str) {
        self.wait_label(label).click();
        self.harness.run_steps(3);
    }

    fn write(&mut self, text: &str) {
        self.wait(|harness| harness.query_by_role_and_label(Role::MultilineTextInput, "Message")).focus();
        self.harness.run_steps(2);
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.run_steps(2);
        self.harness.key_press(Key::Enter);
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

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = image::DynamicImage::new_rgb8(320, 200);
    image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

#[test]
fn two_people_talk_through_the_window() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let friend = runtime.block_on(async {
        let name = DisplayName::parse("Mara").unwrap();
        let friend = Client::create(&folder.path().join("friend"), &name, options(&net)).await.unwrap();
        friend.start();
        friend
    });
    let profile = folder.path().join("own");
    let mut real = Real::open(&profile, options(&net));

    // First run.
    real.click("Create account");
    real.wait(|harness| harness.query_by_role_and_label(Role::TextInput, "Display name")).type_text("Eva");
    real.harness.run_steps(2);
    real.harness.key_press(Key::Enter);
    real.harness.run_steps(2);
    real.click("Later");
    real.wait_label("No conversations yet");

    // Paste an id, write, and it goes out.
    real.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    real.harness.run_steps(2);
    real.harness.event(egui::Event::Paste(friend.id().to_string()));
    real.harness.run_steps(2);
    real.harness.key_press(Key::Enter);
    real.harness.run_steps(2);
    real.write("Hello Mara");
    real.wait_label("You: Hello Mara, ");
    real.wait(|harness| {
        harness.query_all_by_label_contains("You: Hello Mara").find(|node| label(node).ends_with("Sent"))
    });

    // She answers with a picture, which is fetched and shown.
    runtime.block_on(async {
        let from = tokio::time::timeout(PATIENCE, request(&friend)).await.unwrap();
        friend.accept(from).await.unwrap();
        let file = OutgoingFile::Bytes {
            name: "lake.png".into(),
            content_type: "image/png".into(),
            bytes: picture(),
        };
        friend.send(from, Draft { text: "Look".into(), files: vec![file], reply_to: None }).await.unwrap();
        let page = friend.messages(from, Page::Newest, 10).await.unwrap();
        assert!(page.messages.iter().any(|message| message.text == "Hello Mara"));
    });
    real.wait_label("Mara: Look, ");
    real.wait(|harness| harness.query_by_role_and_label(Role::Button, "lake.png")).click();
    real.harness.run_steps(3);
    real.wait_label("Save as…");
    real.harness.key_press(Key::Escape);
    real.harness.run_steps(2);

    // Closed and opened again, all is there.
    real.close();
    let mut real = Real::open(&profile, options(&net));
    real.click("Mara");
    real.wait_label("Mara: Look, ");
    real.wait_label("You: Hello Mara, ");
    real.close();
    runtime.block_on(async {
        friend.stop().await;
        net.shutdown().await;
    });
}

fn label(node: &Node<'_>) -> String {
    use egui_kittest::kittest::NodeT;
    node.accesskit_node().label().unwrap_or_default()
}

/// Waits for a message request.
async fn request(client: &Client) -> ConversationId {
    let mut events = client.subscribe();
    loop {
        let list = client.conversations().await.unwrap();
        if let Some(conversation) = list.iter().find(|conversation| conversation.is_request()) {
            return conversation.id;
        }
        events.recv().await.ok();
    }
}
