//! What a frame of the window costs on one core, without a graphics card: drawing the main screen on a long
//! conversation, at rest and while scrolling through it. The aim is 8 ms at most.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[allow(dead_code)]
#[path = "../tests/window/sample.rs"]
mod sample;

use std::hint::black_box;
use std::sync::mpsc;

use criterion::{Criterion, criterion_group, criterion_main};
use egui::{Context, Event, Modifiers, MouseWheelSource, MouseWheelUnit, RawInput, TouchPhase, pos2, vec2};
use septet::gui::app::Window;
use septet::gui::clock::Clock;
use septet::gui::command::Update;
use septet::gui::state::STRETCH;
use septet_client::model::{MessageId, MessagePage, Page};
use septet_protocol::time::Timestamp;

/// A window on a conversation as long as the window ever keeps one.
struct Bench {
    ctx: Context,
    window: Window,
    frame: u32,
}

impl Bench {
    fn new() -> Self {
        let ctx = Context::default();
        let (commands, _commands) = tokio::sync::mpsc::unbounded_channel();
        let (tell, updates) = mpsc::channel();
        let mut window = Window::new(&ctx, commands, updates, Clock::fixed(sample::NOW));
        for update in sample::updates() {
            tell.send(update).unwrap();
        }
        let messages = MessagePage { messages: history(), more_before: false, more_after: false };
        tell.send(Update::Page { conversation: sample::mara(), page: Page::Newest, messages }).unwrap();
        window.open(sample::mara());
        let mut bench = Self { ctx, window, frame: 0 };
        for _ in 0..100 {
            bench.draw(0.0);
        }
        bench
    }

    /// One frame with the wheel turned by so many points; the number of vertices, so that nothing is left out.
    fn draw(&mut self, wheel: f32) -> usize {
        self.frame += 1;
        let turned = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, wheel),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        };
        let input = RawInput {
            screen_rect: Some(egui::Rect::from_min_size(pos2(0.0, 0.0), vec2(1200.0, 820.0))),
            time: Some(f64::from(self.frame) / 60.0),
            events: vec![Event::PointerMoved(pos2(700.0, 400.0)), turned],
            focused: true,
            ..RawInput::default()
        };
        let mut output = self.ctx.run_ui(input, |ui| self.window.ui(ui));
        output.textures_delta.clear();
        let shapes = std::mem::take(&mut output.shapes);
        let meshes = self.ctx.tessellate(shapes, output.pixels_per_point);
        meshes
            .iter()
            .map(|clipped| match &clipped.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            })
            .sum()
    }
}

/// Messages of 1 to 40 words, of both, some with pictures, over several days.
fn history() -> Vec<septet_client::model::Message> {
    let samples = sample::messages();
    let words = ["the", "lake", "was", "quiet", "when", "we", "came", "back", "🌊", "for", "another", "look"];
    (0..STRETCH)
        .map(|index| {
            let mut message = samples[index % 3].clone();
            message.id = MessageId(index as i64 + 1);
            message.timestamp = Timestamp::from_ms(sample::NOW.as_ms() - (STRETCH - index) as u64 * 180_000);
            message.sorted_at = message.timestamp;
            let length = 1 + index * 7 % 40;
            message.text =
                (0..length).map(|word| words[(index + word) % words.len()]).collect::<Vec<_>>().join(" ");
            message
        })
        .collect()
}

fn frames(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    criterion.bench_function("window, a frame at rest", |b| b.iter(|| black_box(bench.draw(0.0))));
    let mut direction = 90.0;
    criterion.bench_function("window, a frame while scrolling", |b| {
        b.iter(|| {
            if bench.frame.is_multiple_of(400) {
                direction = -direction;
            }
            black_box(bench.draw(direction))
        });
    });
}

criterion_group!(benches, frames);
criterion_main!(benches);
