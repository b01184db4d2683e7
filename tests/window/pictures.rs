//! Pictures of the main screens, compared with those under `tests/snapshots`.

use septet::gui::command::Update;
use septet::gui::theme::ThemeChoice;

use egui_kittest::kittest::Queryable;
use septet_client::model::{MessagePage, Page};

use super::sample;
use super::stage::Stage;

const WIDE: [f32; 2] = [1200.0, 820.0];
const NARROW: [f32; 2] = [500.0, 820.0];

#[test]
fn main_dark() {
    Stage::open(WIDE, ThemeChoice::Dark).harness.snapshot("main_dark");
}

#[test]
fn main_light() {
    Stage::open(WIDE, ThemeChoice::Light).harness.snapshot("main_light");
}

#[test]
fn narrow_dark() {
    Stage::open(NARROW, ThemeChoice::Dark).harness.snapshot("narrow_dark");
}

#[test]
fn path_dark() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    stage.harness.get_by_label("Path: Connected · DE → JP → CA").click();
    stage.run();
    stage.harness.snapshot("path_dark");
}

#[test]
fn request_light() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Light);
    stage.window().open(sample::stranger());
    let mut hello = sample::messages().remove(0);
    (hello.conversation, hello.text) = (sample::stranger(), "Hello, we met at the library".into());
    hello.from = sample::stranger_id();
    let messages = MessagePage { messages: vec![hello], more_before: false, more_after: false };
    stage.tell(Update::Page { conversation: sample::stranger(), page: Page::Newest, messages });
    stage.harness.snapshot("request_light");
}

#[test]
fn menu_and_bar_dark() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    stage.harness.get_by_label("You: Yes! Third one down, by the water, 14:31, Sent").hover();
    stage.run();
    stage.harness.get_by_label("More").click();
    stage.run();
    stage.harness.snapshot("menu_dark");
}
