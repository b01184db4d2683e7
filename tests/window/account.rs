//! Our own page.

use egui::accesskit::Role;
use egui::{Event, Key, pos2};
use egui_kittest::kittest::Queryable;
use septet::gui::command::Command;
use septet::gui::preferences::Preferences;
use septet::gui::theme::{Accent, ThemeChoice};

use super::sample;
use super::stage::Stage;

fn account(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = Stage::open(size, theme);
    stage.window().open_account();
    stage.run();
    stage.commands();
    stage
}

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

fn kept(command: Command) -> Option<Preferences> {
    match command {
        Command::KeepPreferences(preferences) => Some(preferences),
        _ => None,
    }
}

#[test]
fn the_page() {
    account([1200.0, 820.0], ThemeChoice::Dark).harness.snapshot("account_dark");
}

#[test]
fn the_page_in_the_smallest_window() {
    account([360.0, 480.0], ThemeChoice::Light).harness.snapshot("account_smallest_light");
}

#[test]
fn the_recovery_password_is_shown_when_asked_for_and_hidden_again() {
    let mut stage = account([1200.0, 1500.0], ThemeChoice::Dark);
    click(&mut stage, "Show recovery password");
    assert!(stage.commands().iter().any(|command| matches!(command, Command::Recovery)));
    stage.tell(sample::recovery());
    stage.harness.get_by_label("9 nestle");
    click(&mut stage, "Show QR code");
    click(&mut stage, "As 12 BIP-39 words");
    stage.harness.get_by_label("1 abandon");
    stage.harness.snapshot("recovery_dark");
    click(&mut stage, "Copy");
    assert!(stage.commands().iter().any(|command| matches!(command, Command::CopySecret(_))));
    click(&mut stage, "Hide");
    assert!(stage.harness.query_by_label("9 nestle").is_none());
    stage.tell(sample::recovery());
    stage.harness.get_by_label("9 nestle");
    let now = stage.harness.ctx.input(|input| input.time);
    stage.harness.input_mut().time = Some(now + 61.0);
    stage.run();
    assert!(stage.harness.query_by_label("9 nestle").is_none(), "hidden after a minute");
}

#[test]
fn leaving_the_page_hides_the_password() {
    let mut stage = account([1200.0, 820.0], ThemeChoice::Dark);
    stage.tell(sample::recovery());
    stage.harness.get_by_label("9 nestle");
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(stage.harness.query_by_label("9 nestle").is_none());
    stage.window().open_account();
    stage.run();
    assert!(stage.harness.query_by_label("9 nestle").is_none());
}

#[test]
fn the_name_is_changed_in_place() {
    let mut stage = account([1200.0, 820.0], ThemeChoice::Dark);
    click(&mut stage, "Change name");
    stage.harness.event(Event::Text(" II".into()));
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    let name = stage.command(|c| if let Command::SetName(name) = c { Some(name) } else { None });
    assert_eq!(name, "Eva Vogel II");
    click(&mut stage, "Change name");
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(stage.harness.query_by_role_and_label(Role::TextInput, "Display name").is_none());
    stage.harness.get_by_label("Copy Account ID");
}

#[test]
fn theme_and_accent_hold_at_once_and_are_kept() {
    let mut stage = account([1200.0, 820.0], ThemeChoice::Dark);
    click(&mut stage, "Pink");
    assert_eq!(stage.command(kept).accent, Accent::Pink);
    click(&mut stage, "Light");
    let preferences = stage.command(kept);
    assert_eq!((preferences.theme, preferences.accent), (ThemeChoice::Light, Accent::Pink));
    stage.harness.snapshot("account_light_pink");
}

#[test]
fn a_list_made_wider_is_kept_when_it_stays_so() {
    let mut stage = account([1200.0, 820.0], ThemeChoice::Dark);
    stage.harness.run_steps(8);
    stage.commands();
    stage.harness.drag_at(pos2(312.0, 600.0));
    stage.harness.step();
    for x in [330.0, 360.0, 400.0] {
        stage.harness.hover_at(pos2(x, 600.0));
        stage.harness.step();
    }
    assert!(stage.commands().into_iter().filter_map(kept).next().is_none(), "not while it is dragged");
    stage.harness.drop_at(pos2(400.0, 600.0));
    stage.harness.run_steps(8);
    assert_eq!(stage.command(kept).list_width, 400.0);
}
