//! Opens the real window on made-up content, to look at: `cargo run --example gallery -- [light]
//! [narrow|small|tiny] [welcome|account|texts]`.

#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // it is shared with the tests
#[path = "../tests/window/sample.rs"]
mod sample;

use std::sync::mpsc;

use eframe::egui;
use septet::gui::app::Window;
use septet::gui::clock::Clock;
use septet::gui::command::{Command, Progress, Update};
use septet::gui::fonts;
use septet::gui::theme::ThemeChoice;
use septet_client::model::{MessagePage, Page, Profile};

fn main() -> eframe::Result {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    let size = match () {
        _ if has("tiny") => [360.0, 480.0],
        _ if has("small") => [700.0, 560.0],
        _ if has("narrow") => [500.0, 820.0],
        _ => [1200.0, 820.0],
    };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size(size),
        ..Default::default()
    };
    eframe::run_native(
        "Septet gallery",
        options,
        Box::new(move |context| {
            let (commands, mut asked) = tokio::sync::mpsc::unbounded_channel();
            let (tell, updates) = mpsc::channel();
            let mut window = Window::new(&context.egui_ctx, commands, updates, Clock::fixed(sample::NOW));
            let (found, ctx) = (tell.clone(), context.egui_ctx.clone());
            fonts::find_emoji(move |font| {
                found.send(Update::EmojiFont(font)).ok();
                ctx.request_repaint();
            });
            window.set_theme(if has("light") { ThemeChoice::Light } else { ThemeChoice::Dark });
            if has("welcome") {
                tell.send(Update::NoAccount).ok();
            } else {
                for update in sample::updates() {
                    tell.send(update).ok();
                }
                if has("texts") {
                    tell.send(texts()).ok();
                }
                window.open(if has("request") { sample::stranger() } else { sample::mara() });
                if has("account") {
                    window.open_account();
                }
            }
            let ctx = context.egui_ctx.clone();
            std::thread::spawn(move || {
                while let Some(command) = asked.blocking_recv() {
                    println!("{command:?}");
                    for update in answers(&command) {
                        tell.send(update).ok();
                    }
                    ctx.request_repaint();
                }
            });
            Ok(Box::new(window))
        }),
    )
}

/// What an account would answer, for looking at screens.
fn answers(command: &Command) -> Vec<Update> {
    match command {
        Command::CreateAccount { name } => {
            vec![Update::Opened(Profile { id: sample::me(), name: name.clone(), picture: None, read: true })]
        }
        Command::Recovery => vec![sample::recovery()],
        Command::Restore(_) => vec![Update::Restoring(Progress::Messages { fetched: 312 })],
        Command::CancelRestore => vec![Update::NameNeeded],
        Command::CopySecret(_) => vec![Update::SecretCopied(true)],
        Command::SetName(name) => {
            vec![Update::Opened(Profile { id: sample::me(), name: name.clone(), picture: None, read: true })]
        }
        _ => Vec::new(),
    }
}

/// A conversation in many scripts.
fn texts() -> Update {
    let texts = [
        "السلام عليكم! هل وصلتك الصور؟ (كلها 12 صورة)",
        "مرحبا، رابط الخريطة https://example.org/map?x=1 والموعد الساعة 10:30 صباحًا في مقهى Central بجانب المحطة القديمة.",
        "שלום, מה שלומך היום? נפגש ב-18:00 ליד Café Noir (כמו תמיד).",
        "قیمت ۱۲۳۴ تومان است",
        "Both: שלום עולם and مرحبا بالعالم, then 3.14% done.",
        "नमस्ते! क्या आप कल आ रहे हैं? मैं क्षेत्र में हूँ।",
        "สวัสดีครับ พรุ่งนี้เจอกันที่สถานีรถไฟฟ้านะครับ น้ำท่วมไหม",
        "了解です、また明日。「図書館」で会いましょう。天气很好，我们去公园吧！ 안녕하세요 여러분",
        "👩‍👩‍👧‍👦 🇺🇦🇩🇪 1️⃣ ❤️ ☺️ 👍🏽 🏳️‍🌈 and text ☎︎ ©",
        "See https://p\u{430}ypal.com/login or www.example.org.",
    ];
    let messages = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            sample::message(100 + index as i64, index % 3 == 2, text, sample::clock(14, index as u64 + 1))
        })
        .collect();
    let page = MessagePage { messages, more_before: false, more_after: false };
    Update::Page { conversation: sample::mara(), page: Page::Newest, messages: page }
}
