//! How long it takes to lay out 1,000 messages: short and long, in one direction and in both, with links and emoji.
//!
//! Two figures: `plain` are messages as most people write them, which egui breaks into lines; `mixed` has every third
//! message in Arabic, Hebrew or Thai, which we break ourselves. Nothing is kept between two rounds: each round lays
//! out at another width.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // it is a bench

use std::cell::Cell;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use egui::{Color32, Context, RawInput};
use septet::gui::fonts;
use septet::gui::text::links::{Piece, pieces};
use septet::gui::text::{Span, Style, Wrap, layout_rich};

const PLAIN: [&str; 8] = [
    "Yes!",
    "Are the pictures from Sunday still on your phone?",
    "I'd love the one at the lake 🌊",
    "Which spot was it, can we go back there? 👀",
    "The timetable is at https://example.org/buses?line=12&day=sat, I think the one at ten is the better one.",
    "👍🏽",
    "First the door, then the window. If it rains we go to the library instead, and somebody brings the stove. Tell \
     Jonas that he can keep the drill until Thursday, but not longer, because I promised it to my sister.",
    "Ça marche, à demain — так и сделаем",
];
const BOTH: [&str; 4] = [
    "السلام عليكم! هل وصلتك الصور؟ (كلها 12 صورة)",
    "שלום, מה שלומך היום? נפגש ב-18:00 ליד Café Noir (כמו תמיד).",
    "مرحبا، رابط الخريطة https://example.org/map?x=1 والموعد الساعة 10:30 صباحًا في مقهى Central بجانب المحطة القديمة.",
    "สวัสดีครับ พรุ่งนี้เจอกันที่สถานีรถไฟฟ้านะครับ น้ำท่วมไหม",
];

/// A thousand texts, each its own: with a number at its end.
fn messages(mixed: bool) -> Vec<String> {
    (0..1000)
        .map(|index| {
            let both = mixed && index % 3 == 2;
            let text = if both { BOTH[index / 3 % BOTH.len()] } else { PLAIN[index % PLAIN.len()] };
            format!("{text} {index}")
        })
        .collect()
}

fn lay_out(ctx: &Context, messages: &[String], width: f32) {
    let style = Style::new(14.0, Color32::WHITE).line(20.0);
    let link = Style { underline: true, ..style };
    for message in messages {
        let pieces = pieces(message);
        let spans: Vec<Span<'_>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Words(text) => Span { text, style, marked: false },
                Piece::Link { shown, .. } | Piece::Mention { shown, .. } => {
                    Span { text: shown, style: link, marked: true }
                }
            })
            .collect();
        black_box(layout_rich(ctx, &spans, Wrap::Lines(width)));
    }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1000 messages");
    group.sample_size(10);
    for (name, mixed) in [("plain", false), ("mixed", true)] {
        let ctx = Context::default();
        ctx.set_fonts(fonts::definitions());
        ctx.run_ui(RawInput::default(), |_| {}).textures_delta.clear();
        let messages = messages(mixed);
        let round = Cell::new(0_u32);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                round.set(round.get() + 1);
                let width = 400.0 + (round.get() % 100) as f32;
                let mut output = ctx.run_ui(RawInput::default(), |ui| lay_out(ui.ctx(), &messages, width));
                output.textures_delta.clear();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
