//! Pictures of the main screens, compared with those under `tests/snapshots`.

use septet::gui::command::Update;
use septet::gui::theme::ThemeChoice;

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
fn first_run_dark() {
    let mut stage = Stage::new(WIDE, ThemeChoice::Dark);
    stage.tell(Update::NoAccount);
    stage.harness.snapshot("first_run_dark");
}
