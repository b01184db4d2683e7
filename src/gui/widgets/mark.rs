//! Our mark: seven dots in a ring, for the swarm of seven.

use std::f32::consts::TAU;

use egui::{Color32, Painter, Pos2, Vec2};

/// Paints it around a point. The dots grow along the ring, so that it seems to turn.
pub fn paint(painter: &Painter, center: Pos2, diameter: f32, color: Color32) {
    turned(painter, center, diameter, color, 0.0);
}

/// Paints it while it turns; `turn` counts whole turns. The dots stay where they are, and the wave goes round.
pub fn turned(painter: &Painter, center: Pos2, diameter: f32, color: Color32, turn: f32) {
    let ring = diameter * 0.39;
    for dot in 0..7_u8 {
        let place = f32::from(dot) / 7.0;
        let direction = Vec2::angled(place * TAU - TAU / 4.0);
        let grown = (place - turn).rem_euclid(1.0);
        let size = diameter * (0.058 + 0.052 * grown);
        let shade = color.gamma_multiply(0.45 + 0.55 * grown);
        painter.circle_filled(center + direction * ring, size, shade);
    }
}
