//! Our picture: chosen, cut, set, removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::kittest::Queryable;
use image::{Rgba, RgbaImage};
use septet::gui::command::{Command, ImageKey, Update};
use septet::gui::crop::Square;
use septet::gui::own_picture::{Candidate, Cut, PictureNews, PictureProblem, PictureWish};
use septet::gui::theme::ThemeChoice;
use septet_client::client::Client;
use septet_client::model::{PictureId, Profile};
use septet_devnet::{Devnet, FileFault};
use septet_protocol::account::parse_recovery;

use super::real::{PATIENCE, Real, options};
use super::sample;
use super::stage::Stage;

pub const WIDE: [f32; 2] = [1200.0, 820.0];
pub const SMALLEST: [f32; 2] = [360.0, 480.0];
const PART: &str = "The part of the picture that people will see";

pub fn page(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = Stage::open(size, theme);
    stage.window().open_account();
    stage.run();
    stage.commands();
    stage
}

pub fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

pub fn press(stage: &mut Stage, key: Key, times: usize) {
    for _ in 0..times {
        stage.harness.key_press(key);
        stage.harness.step();
    }
    stage.run();
}

fn wish(command: Command) -> Option<PictureWish> {
    match command {
        Command::OwnPicture(wish) => Some(wish),
        _ => None,
    }
}

fn set(command: Command) -> Option<Cut> {
    match wish(command)? {
        PictureWish::Set(cut) => Some(cut),
        _ => None,
    }
}

/// What the account makes of these pixels.
fn candidate(pixels: RgbaImage, moves: bool) -> Arc<Candidate> {
    let size = [pixels.width() as usize, pixels.height() as usize];
    let view = Arc::new(egui::ColorImage::from_rgba_unmultiplied(size, pixels.as_raw()));
    Arc::new(Candidate { pixels, view, moves })
}

/// Every pixel has a colour of its own.
fn numbered(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| Rgba([x as u8, y as u8, ((x >> 8) * 8 + (y >> 8)) as u8, 255]))
}

/// Brown at the left, green below, so that a place can be told from its colour.
fn slopes(width: u32, height: u32) -> RgbaImage {
    let part = |at: u32, of: u32| (at * 255 / of.max(1)) as u8;
    RgbaImage::from_fn(width, height, |x, y| Rgba([255 - part(x, width), part(y, height), 60, 255]))
}

/// The sample's evening as a picture to cut.
fn evening() -> RgbaImage {
    let picture = sample::evening();
    let pixels = picture.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
    let small = RgbaImage::from_raw(picture.size[0] as u32, picture.size[1] as u32, pixels).unwrap();
    image::imageops::resize(&small, 1140, 768, image::imageops::FilterType::Triangle)
}

/// The page with a picture being cut.
fn cropping(size: [f32; 2], theme: ThemeChoice, pixels: RgbaImage) -> (Stage, Arc<Candidate>) {
    let mut stage = page(size, theme);
    let candidate = candidate(pixels, false);
    stage.tell(Update::OwnPicture(PictureNews::Opened(candidate.clone())));
    stage.harness.get_by_label(PART);
    (stage, candidate)
}

/// Where the square is on screen: what is shown of it is as wide as it is high, in the middle.
fn square_on_screen(stage: &Stage) -> egui::Rect {
    let rect = stage.harness.get_by_label(PART).rect();
    let side = rect.height() - 40.0;
    egui::Rect::from_center_size(rect.center(), vec2(side, side))
}

/// The account has a new picture.
fn adopt(stage: &mut Stage, cut: &Cut) {
    let id = PictureId("new".into());
    let picture = Some(id.clone());
    stage
        .tell
        .send(Update::Profile(Profile { id: sample::me(), name: "Eva Vogel".into(), picture, read: true }))
        .unwrap();
    stage.tell(Update::OwnPicture(PictureNews::Set(cut.clone())));
    show_picture(stage, &id, &cut.pixels());
}

fn show_picture(stage: &mut Stage, id: &PictureId, pixels: &RgbaImage) {
    let size = [pixels.width() as usize, pixels.height() as usize];
    let image = || Some(egui::ColorImage::from_rgba_unmultiplied(size, pixels.as_raw()));
    stage.tell(Update::Image(ImageKey::Picture(id.clone()), image()));
    stage.tell(Update::Image(ImageKey::LargePicture(id.clone()), image()));
}

/// The colour at a point of the window.
fn color_at(stage: &mut Stage, at: Pos2) -> [u8; 4] {
    stage.harness.render().unwrap().get_pixel(at.x as u32, at.y as u32).0
}

fn near(a: [u8; 4], b: [u8; 4]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 6)
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn a_pasted_picture_is_cut_to_exactly_what_is_chosen() {
    let mut stage = page(WIDE, ThemeChoice::Dark);
    let pasted = Arc::new(sample::lake());
    stage.harness.event(Event::PasteImage(pasted.clone()));
    stage.run();
    let PictureWish::Pasted(picture) = stage.command(wish) else { panic!("it was not taken") };
    assert!(Arc::ptr_eq(&picture, &pasted));
    stage.harness.get_by_label("Opening picture…");

    let pixels = numbered(480, 320);
    stage.tell(Update::OwnPicture(PictureNews::Opened(candidate(pixels.clone(), false))));
    // Right means that the picture goes right: the square ends at its left edge.
    press(&mut stage, Key::ArrowRight, 12);
    click(&mut stage, "Set picture");
    let cut = stage.command(set);
    assert_eq!(cut.square, Square { left: 0, top: 0, side: 320 });
    let taken = cut.pixels();
    assert_eq!(taken.dimensions(), (320, 320));
    assert!(taken.enumerate_pixels().all(|(x, y, pixel)| pixel == pixels.get_pixel(x, y)));
}

#[test]
fn dragging_and_the_wheel_take_what_is_seen() {
    let pixels = slopes(1000, 800);
    let (mut stage, _) = cropping(WIDE, ThemeChoice::Dark, pixels.clone());
    let square = square_on_screen(&stage);
    // 50 points are 100 of 800 pixels in 400 points.
    assert_eq!(square.width(), 400.0);
    stage.harness.drag_at(square.center());
    stage.harness.step();
    for x in [10.0, 30.0, 40.0] {
        stage.harness.hover_at(square.center() + vec2(x, 0.0));
        stage.harness.step();
    }
    stage.harness.drop_at(square.center() + vec2(40.0, 0.0));
    stage.run();
    // The wheel makes it larger about the pointer.
    let pointer = square.min + vec2(100.0, 300.0);
    stage.harness.hover_at(pointer);
    stage.harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 120.0),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    stage.harness.run_steps(40);
    let screen = stage.harness.render().unwrap();
    press(&mut stage, Key::Enter, 1);
    let cut = stage.command(set);
    let Square { left, top, side } = cut.square;
    assert!((400..700).contains(&side), "{side}");
    // Before the wheel the square began at 20, 0: the pixel under the pointer stayed there.
    let under = |from: u32, part: f32| from as f32 + part * side as f32;
    assert!(
        (under(left, 0.25) - 220.0).abs() < 2.0 && (under(top, 0.75) - 600.0).abs() < 2.0,
        "{left} {top}"
    );
    // What the screen showed in the circle is what was taken.
    for (x, y) in [(0.5, 0.5), (0.2, 0.4), (0.8, 0.6), (0.5, 0.1), (0.45, 0.9)] {
        let at = square.min + vec2(x, y) * square.width();
        let shown = screen.get_pixel(at.x as u32, at.y as u32).0;
        let taken = cut.pixels();
        let at = |part: f32| (part * taken.width() as f32) as u32;
        let taken = taken.get_pixel(at(x), at(y)).0;
        assert!(near(shown, taken), "at {x}, {y}: shown {shown:?}, taken {taken:?}");
    }
}

#[test]
fn keys_buttons_and_the_slider_zoom() {
    let (mut stage, _) = cropping(WIDE, ThemeChoice::Light, numbered(480, 320));
    let side = |stage: &mut Stage| {
        press(stage, Key::Enter, 1);
        let cut = stage.command(set);
        stage.tell(Update::OwnPicture(PictureNews::NotSet(cut.clone(), "No.".into())));
        click(stage, "Discard");
        stage.tell(Update::OwnPicture(PictureNews::Opened(cut.of.clone())));
        (cut.square.left, cut.square.top, cut.square.side)
    };
    press(&mut stage, Key::Plus, 2);
    assert_eq!(side(&mut stage), (119, 39, 242));
    click(&mut stage, "Larger");
    press(&mut stage, Key::Plus, 9);
    click(&mut stage, "Smaller");
    click(&mut stage, "Start over");
    stage.harness.get_by_label(PART).focus();
    stage.run();
    assert_eq!(side(&mut stage), (80, 0, 320));
    stage.harness.get_by_role_and_label(Role::Slider, "Size").focus();
    stage.run();
    press(&mut stage, Key::ArrowRight, 30);
    // Zoomed in as far as it goes: 64 pixels, in the middle, for arrows now belong to the slider.
    assert_eq!(side(&mut stage), (208, 128, 64));
}

#[test]
fn leaving_the_crop_changes_nothing() {
    let (mut stage, _) = cropping(WIDE, ThemeChoice::Dark, numbered(40, 30));
    press(&mut stage, Key::Escape, 1);
    stage.harness.get_by_label("Your account");
    stage.harness.get_by_label("Add picture");
    assert!(stage.commands().into_iter().filter_map(wish).next().is_none());
    // A picture that is ready after the page was left is nobody's business.
    press(&mut stage, Key::Escape, 1);
    stage.tell(Update::OwnPicture(PictureNews::Opened(candidate(numbered(9, 9), false))));
    stage.window().open_account();
    stage.run();
    stage.harness.get_by_label("Add picture");
}

#[test]
fn what_is_no_picture_is_said_and_nothing_is_lost() {
    let mut stage = page(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Your picture");
    assert!(matches!(stage.command(wish), PictureWish::Pick));
    click(&mut stage, "Add picture");
    assert!(matches!(stage.command(wish), PictureWish::Pick));
    stage.harness.event(Event::Paste("hello".into()));
    stage.run();
    stage.harness.get_by_label("There is no picture on the clipboard.");
    stage.harness.input_mut().dropped_files.push(Arc::new(Dropped("/papers/list.ods".into())));
    stage.run();
    let PictureWish::File(path) = stage.command(wish) else { panic!("it was not taken") };
    assert_eq!(path, Path::new("/papers/list.ods"));
    for (problem, words) in [
        (PictureProblem::NoFile, "This file cannot be read"),
        (PictureProblem::Unreadable, "This is not a picture that can be opened"),
        (PictureProblem::TooLarge, "This picture is too large"),
    ] {
        stage.tell(Update::OwnPicture(PictureNews::Unusable(problem)));
        stage.harness.get_by_label_contains(words);
        stage.harness.get_by_label("Add picture");
    }
    // The one being cut stays when the next one is rubbish.
    stage.tell(Update::OwnPicture(PictureNews::Opened(candidate(numbered(90, 80), true))));
    stage.harness.get_by_label_contains("This is an animation");
    stage.tell(Update::OwnPicture(PictureNews::Unusable(PictureProblem::Unreadable)));
    stage.harness.get_by_label_contains("This is not a picture that can be opened");
    stage.harness.get_by_label(PART);
}

#[test]
fn a_new_picture_is_shown_at_once_and_everywhere() {
    let teal = [20, 140, 130, 255];
    let (mut stage, _) = cropping(WIDE, ThemeChoice::Dark, RgbaImage::from_pixel(300, 200, Rgba(teal)));
    let head = stage.harness.get_by_role_and_label(Role::Button, "Your account").rect().center();
    let note = stage.harness.get_by_label_contains("Note to Self").rect();
    let before = color_at(&mut stage, pos2(note.left() + 12.0, note.center().y));
    press(&mut stage, Key::Enter, 1);
    let cut = stage.command(set);
    stage.harness.get_by_label("Setting picture…");
    let large = stage.harness.get_by_label("Your picture").rect().center();
    for at in [head, large] {
        assert!(near(color_at(&mut stage, at), teal));
    }
    adopt(&mut stage, &cut);
    stage.harness.get_by_label("Change picture");
    for at in [head, large] {
        assert!(near(color_at(&mut stage, at), teal));
    }
    // From now on it is the account's that is shown: another device may change it.
    let id = PictureId("newer".into());
    let picture = Some(id.clone());
    stage.tell(Update::Profile(Profile { id: sample::me(), name: "Eva Vogel".into(), picture, read: true }));
    let rust = [150, 70, 30, 255];
    show_picture(&mut stage, &id, &RgbaImage::from_pixel(60, 60, Rgba(rust)));
    for at in [head, large] {
        assert!(near(color_at(&mut stage, at), rust));
    }
    assert_eq!(color_at(&mut stage, pos2(note.left() + 12.0, note.center().y)), before);
}

#[test]
fn a_picture_that_cannot_be_set_is_kept_for_another_try() {
    let (mut stage, _) = cropping(SMALLEST, ThemeChoice::Light, evening());
    press(&mut stage, Key::Enter, 1);
    let cut = stage.command(set);
    let reason = "No connection to the network.".to_owned();
    stage.tell(Update::OwnPicture(PictureNews::NotSet(cut.clone(), reason.clone())));
    stage.harness.get_by_label("Your picture was not changed. No connection to the network.");
    let middle = stage.harness.get_by_label("Your picture").rect();
    assert!(
        near(color_at(&mut stage, middle.left_center() + vec2(8.0, 0.0)), [0x56, 0x63, 0xb5, 255]),
        "letters"
    );
    stage.harness.snapshot("picture_not_set_smallest_light");
    click(&mut stage, "Try again");
    assert!(stage.command(set).is(&cut));
    // Leaving the page does not stop it, and it does not fail in silence.
    press(&mut stage, Key::Escape, 1);
    assert!(stage.harness.query_by_label("Setting picture…").is_none());
    stage.tell(Update::OwnPicture(PictureNews::NotSet(cut, reason)));
    stage.harness.get_by_label("Your picture was not changed. No connection to the network.");
    stage.window().open_account();
    stage.run();
    click(&mut stage, "Try again");
    assert!(matches!(stage.command(wish), PictureWish::Set(_)));
    click(&mut stage, "Stop");
    assert!(matches!(stage.command(wish), PictureWish::Stop));
    stage.harness.get_by_label("Add picture");
}

#[test]
fn removing_a_picture_asks_once() {
    let mut stage = page(WIDE, ThemeChoice::Dark);
    let of = candidate(evening(), false);
    adopt(&mut stage, &Cut { of, square: Square { left: 186, top: 0, side: 768 } });
    stage.harness.snapshot("profile_dark");
    click(&mut stage, "Remove picture");
    stage.harness.get_by_label("Remove your picture?");
    click(&mut stage, "Cancel");
    click(&mut stage, "Remove picture");
    press(&mut stage, Key::Escape, 1);
    stage.harness.get_by_label("Copy Account ID");
    assert!(stage.commands().into_iter().filter_map(wish).next().is_none());
    click(&mut stage, "Remove picture");
    click(&mut stage, "Remove");
    assert!(matches!(stage.command(wish), PictureWish::Remove));
    stage.tell(Update::Profile(Profile {
        id: sample::me(),
        name: "Eva Vogel".into(),
        picture: None,
        read: true,
    }));
    stage.harness.get_by_label("Add picture");
    assert!(stage.harness.query_by_label("Remove picture").is_none());
}

#[test]
fn the_crop() {
    let (mut stage, _) = cropping(WIDE, ThemeChoice::Dark, evening());
    press(&mut stage, Key::Plus, 3);
    stage.harness.snapshot("crop_dark");
}

#[test]
fn the_crop_in_light() {
    cropping(WIDE, ThemeChoice::Light, evening()).0.harness.snapshot("crop_light");
}

#[test]
fn the_crop_in_the_smallest_window() {
    let mut stage = page(SMALLEST, ThemeChoice::Dark);
    stage.tell(Update::OwnPicture(PictureNews::Opened(candidate(evening(), true))));
    stage.harness.snapshot("crop_smallest_dark");
    // All of it can be reached.
    click(&mut stage, "Set picture");
    assert_eq!(stage.command(set).square.side, 768);
}

#[test]
fn a_pixel_and_a_line_can_be_cut_too() {
    for (width, height) in [(1, 1), (2000, 1), (1, 2000), (2, 3)] {
        let (mut stage, _) = cropping(SMALLEST, ThemeChoice::Light, numbered(width, height));
        press(&mut stage, Key::Plus, 1);
        press(&mut stage, Key::ArrowLeft, 1);
        press(&mut stage, Key::ArrowUp, 1);
        press(&mut stage, Key::Enter, 1);
        let cut = stage.command(set);
        let side = width.min(height);
        assert_eq!((cut.square.side, cut.pixels().dimensions()), (side, (side, side)));
    }
}

/// Red at the left, blue at the right, twice as wide as high.
fn halves(path: &Path) {
    let picture = RgbaImage::from_fn(800, 400, |x, _| match x {
        0..400 => Rgba([200, 20, 20, 255]),
        _ => Rgba([20, 20, 200, 255]),
    });
    picture.save(path).unwrap();
}

#[test]
fn a_picture_reaches_the_other_device() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let profile = folder.path().join("own");
    let mut real = Real::open(&profile, options(&net));
    real.click("Create account");
    real.wait(|harness| harness.query_by_role_and_label(Role::TextInput, "Display name")).type_text("Eva");
    real.harness.run_steps(2);
    real.harness.key_press(Key::Enter);
    real.harness.run_steps(2);
    real.click("Later");
    real.wait_label("No conversations yet");
    real.wait(|harness| harness.query_by_role_and_label(Role::Button, "Your account")).click();
    real.harness.run_steps(2);

    // Rubbish is refused; a picture is cut at its left half and set.
    let rubbish = folder.path().join("rubbish.png");
    std::fs::write(&rubbish, b"hello").unwrap();
    real.harness.input_mut().dropped_files.push(Arc::new(Dropped(rubbish)));
    real.harness.run_steps(2);
    real.wait_label("This is not a picture that can be opened");
    let file = folder.path().join("halves.png");
    halves(&file);
    real.harness.input_mut().dropped_files.push(Arc::new(Dropped(file)));
    real.harness.run_steps(2);
    real.wait_label(PART);
    real.harness.run_steps(3);
    for _ in 0..12 {
        real.harness.key_press(Key::ArrowRight);
        real.harness.run_steps(1);
    }
    // A server that refuses costs nothing but another try.
    net.set_file_fault(FileFault::Broken);
    real.click("Set picture");
    real.wait_label("Your picture was not changed.");
    real.wait_label("Add picture");
    net.clear_file_faults();
    real.click("Try again");
    real.wait_label("Remove picture");
    real.close();

    runtime.block_on(async {
        let first = Client::open(&profile, options(&net)).await.unwrap();
        first.start();
        assert!(first.flush(PATIENCE).await.unwrap());
        let seed = parse_recovery(&first.recovery().await.unwrap().phrase).unwrap();
        let second = folder.path().join("second");
        let second = Client::restore(&second, seed, None, options(&net), |_| {}).await.unwrap();
        second.start();
        let picture = tokio::time::timeout(PATIENCE, picture_of(&second)).await.unwrap();
        assert_eq!(picture.dimensions(), (400, 400));
        let other = picture.pixels().find(|pixel| !near(pixel.0, [200, 20, 20, 255]));
        assert_eq!(other, None, "it is the half that was chosen");
        first.stop().await;
        second.stop().await;
        net.shutdown().await;
    });
}

/// Waits until a device has our picture.
async fn picture_of(client: &Client) -> RgbaImage {
    let mut events = client.subscribe();
    loop {
        if let Some(id) = client.profile().await.unwrap().picture {
            let file = client.picture(&id).await.unwrap();
            return image::load_from_memory(&file).unwrap().into_rgba8();
        }
        events.recv().await.ok();
    }
}
