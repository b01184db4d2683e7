//! Opens the real window on made-up content, to look at: `cargo run --example gallery -- [light]
//! [narrow|small|tiny] [welcome|account|texts]`.

#[allow(dead_code)]
#[path = "../tests/window/sample.rs"]
mod sample;

use std::sync::mpsc;

use eframe::egui;
use septet::gui::app::Window;
use septet::gui::clock::Clock;
use septet::gui::command::Update;
use septet::gui::fonts;
use septet::gui::theme::ThemeChoice;

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
                found.send(septet::gui::command::Update::EmojiFont(font)).ok();
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
                    tell.send(sample::texts()).ok();
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
                    for update in sample::answers(&command) {
                        tell.send(update).ok();
                    }
                    ctx.request_repaint();
                }
            });
            Ok(Box::new(window))
        }),
    )
}
