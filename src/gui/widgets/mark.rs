//! Our mark: seven dots in a ring, for the swarm of seven.

use std::f32::consts::TAU;

use egui::{Color32, Painter, Pos2, Vec2};

/// Paints it around a point. The dots grow along the ring, so that it seems to turn.
pub fn paint(painter: &Painter, center: Pos2, diameter: f32, color: Color32) {
    turned(painter, center, diameter, color, 0.0);
}

/// Paints it while it turns; `turn` counts whole turns. The dots stay where they are, and the wave goes round.
pub fn turned(painter: &Painter, center: Pos2, diameter: f32, color: Color32, turn: f32) {
    for (at, radius, shade) in dots(diameter, turn) {
        painter.circle_filled(center + at, radius, color.gamma_multiply(shade));
    }
}

/// Place, radius and strength of each dot around the middle.
fn dots(diameter: f32, turn: f32) -> impl Iterator<Item = (Vec2, f32, f32)> {
    (0..7_u8).map(move |dot| {
        let place = f32::from(dot) / 7.0;
        let at = Vec2::angled(place * TAU - TAU / 4.0) * diameter * 0.39;
        let grown = (place - turn).rem_euclid(1.0);
        (at, diameter * (0.058 + 0.052 * grown), 0.45 + 0.55 * grown)
    })
}

/// It as the window's icon: dots on a dark rounded square.
pub fn icon() -> egui::IconData {
    const SIDE: u16 = 128;
    let middle = f32::from(SIDE) / 2.0;
    let dots: Vec<(Vec2, f32, f32)> = dots(f32::from(SIDE) * 0.74, 0.0).collect();
    let pixel = |x: u16, y: u16| {
        let at = Vec2::new(f32::from(x) + 0.5 - middle, f32::from(y) + 0.5 - middle);
        let corner = (at.abs() - Vec2::splat(middle * 0.5)).max(Vec2::ZERO).length();
        let ground = coverage(middle * 0.5 - corner);
        let shade =
            dots.iter().map(|(center, radius, shade)| coverage(radius - (at - *center).length()) * shade);
        let shade = shade.fold(0.0, f32::max);
        let color =
            Color32::from_rgb(0x19, 0x1c, 0x21).lerp_to_gamma(Color32::from_rgb(0x6e, 0xa8, 0xfe), shade);
        [color.r(), color.g(), color.b(), (ground * 255.0) as u8]
    };
    let rgba = (0..SIDE)
        .flat_map(|y| (0..SIDE).flat_map(move |x| [(x, y)]))
        .flat_map(|(x, y)| pixel(x, y))
        .collect();
    egui::IconData { rgba, width: u32::from(SIDE), height: u32::from(SIDE) }
}

/// How much of a pixel is covered whose middle is so far inside an edge.
fn coverage(inside: f32) -> f32 {
    (inside + 0.5).clamp(0.0, 1.0)
}
