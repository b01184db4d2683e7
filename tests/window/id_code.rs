//! The QR code of our Account ID.

use egui::{Key, OutputCommand};
use egui_kittest::kittest::Queryable;
use image::RgbaImage;
use septet::gui::command::Command;
use septet::gui::theme::ThemeChoice;

use super::profile::{SMALLEST, WIDE, click, page, press};
use super::sample;
use super::stage::Stage;

/// What the first QR code on a picture says.
fn scan(picture: &RgbaImage) -> String {
    let (width, height) = picture.dimensions();
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
            let [r, g, b, _] = picture.get_pixel(x as u32, y as u32).0.map(u32::from);
            ((r + g + b) / 3) as u8
        });
    prepared.detect_grids()[0].decode().unwrap().1
}

#[test]
fn the_code_is_scanned_from_the_screen_and_from_its_file() {
    let id = sample::me().to_string();
    let mut stage = page(WIDE, ThemeChoice::Dark);
    assert_eq!(scan(&stage.harness.render().unwrap()), id);
    click(&mut stage, "QR code of your Account ID");
    stage.harness.get_by_label("Large QR code of your Account ID");
    assert_eq!(scan(&stage.harness.render().unwrap()), id);
    stage.harness.snapshot("code_dark");
    click(&mut stage, "Save as…");
    let saved =
        |command| if let Command::SavePng { name, picture } = command { Some((name, picture)) } else { None };
    let (name, picture) = stage.command(saved);
    assert_eq!(name, format!("Account ID {}.png", &id[..8]));
    let pixels = picture.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
    let [width, height] = picture.size.map(|side| side as u32);
    assert_eq!(scan(&RgbaImage::from_raw(width, height, pixels).unwrap()), id);
    stage.harness.get_by_label("Copy code").click();
    stage.harness.step();
    let copied = |stage: &Stage| {
        let commands = &stage.harness.output().platform_output.commands;
        commands.iter().any(|c| matches!(c, OutputCommand::CopyImage(copied) if *copied == *picture))
    };
    assert!((0..3).any(|_| copied(&stage) || {
        stage.harness.step();
        copied(&stage)
    }));
    // Esc closes the code, not the page.
    press(&mut stage, Key::Escape, 1);
    assert!(stage.harness.query_by_label("Large QR code of your Account ID").is_none());
    click(&mut stage, "Enlarge QR code");
    click(&mut stage, "Close QR code");
    stage.harness.get_by_label("Copy Account ID");
}

#[test]
fn the_code_fits_the_smallest_window() {
    let mut stage = page(SMALLEST, ThemeChoice::Light);
    click(&mut stage, "Enlarge QR code");
    assert_eq!(scan(&stage.harness.render().unwrap()), sample::me().to_string());
    stage.harness.snapshot("code_smallest_light");
}
