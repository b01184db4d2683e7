//! The first run: an account is made, or brought back.

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Command, Progress, QrProblem, Secret, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::Profile;

use super::sample;
use super::stage::Stage;

const WIDE: [f32; 2] = [1200.0, 820.0];
const SMALLEST: [f32; 2] = [360.0, 480.0];
const PHRASE: &str = "amaze buffet cake entrance symptoms tiger lamb maze nestle python dusted faxed faxed";

fn first_run(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = Stage::new(size, theme);
    stage.tell(Update::NoAccount);
    stage
}

/// The screen for restoring, the keyboard in the first field.
fn restoring(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = first_run(size, theme);
    click(&mut stage, "I have an account");
    stage
}

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

/// Types into whatever has the keyboard.
fn typed(stage: &mut Stage, text: &str) {
    for letter in text.chars() {
        stage.harness.event(Event::Text(letter.to_string()));
        stage.run();
    }
}

fn word(stage: &Stage, number: usize) -> String {
    let label = format!("Word {number}");
    stage.harness.get_by_role_and_label(Role::TextInput, &label).value().unwrap_or_default()
}

fn restore(command: Command) -> Option<Secret> {
    match command {
        Command::Restore(phrase) => Some(phrase),
        _ => None,
    }
}

#[test]
fn the_chooser() {
    first_run(WIDE, ThemeChoice::Dark).harness.snapshot("first_run_dark");
}

#[test]
fn the_chooser_in_the_smallest_window() {
    first_run(SMALLEST, ThemeChoice::Light).harness.snapshot("first_run_smallest_light");
}

#[test]
fn a_wrong_word_is_marked_and_can_be_replaced() {
    let mut stage = restoring(WIDE, ThemeChoice::Dark);
    typed(&mut stage, "amaze buffet cake entrance symptoms tiger lamb maze neztle python dus");
    stage.harness.snapshot("restore_dark");
    stage.harness.get_by_label("Word 9 is not in the list.");
    click(&mut stage, "Use nestle");
    assert_eq!(word(&stage, 9), "nestle");
    stage.harness.get_by_label("11 of 13 words.");
}

#[test]
fn restoring_begins_when_the_words_fit_together() {
    let mut stage = restoring(SMALLEST, ThemeChoice::Light);
    typed(&mut stage, "ama buf cak ent sym tig lam maz nes pyt dus fax ");
    assert_eq!((word(&stage, 1), word(&stage, 12)), ("amaze".into(), "faxed".into()));
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(stage.commands().into_iter().filter_map(restore).next().is_none(), "a word is missing");
    stage.harness.get_by_role_and_label(Role::TextInput, "Word 13").focus();
    stage.run();
    typed(&mut stage, "fax");
    stage.harness.snapshot("restore_smallest_light");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.command(restore).reveal(), PHRASE);
}

#[test]
fn a_password_is_pasted_in_any_shape() {
    let numbered: Vec<String> =
        PHRASE.split(' ').enumerate().map(|(i, w)| format!("{}) {w}", i + 1)).collect();
    let digits = "000102030405060708090A0B0C0D0E0F";
    for text in [PHRASE.to_owned(), numbered.join("\n"), digits.to_owned()] {
        let mut stage = restoring(WIDE, ThemeChoice::Dark);
        stage.harness.event(Event::Paste(text));
        stage.run();
        assert_eq!((word(&stage, 1), word(&stage, 13)), ("amaze".into(), "faxed".into()));
        click(&mut stage, "Restore");
        assert_eq!(stage.command(restore).reveal(), PHRASE);
    }
}

#[test]
fn twelve_words_of_the_other_kind_need_twelve_fields() {
    let mut stage = restoring(WIDE, ThemeChoice::Dark);
    let bip39 = "abandon amount liar amount expire adjust cage candy arch gather drum buyer";
    stage.harness.event(Event::Paste(bip39.into()));
    stage.run();
    assert!(stage.harness.query_by_label("Word 13").is_none());
    click(&mut stage, "Restore");
    assert_eq!(stage.command(restore).reveal(), bip39);
}

#[test]
fn tab_takes_the_word_that_is_offered_and_backspace_goes_back() {
    let mut stage = restoring(WIDE, ThemeChoice::Dark);
    typed(&mut stage, "ama");
    stage.harness.key_press(Key::Tab);
    stage.run();
    assert_eq!(word(&stage, 1), "amaze");
    for _ in 0..2 {
        stage.harness.key_press(Key::Backspace);
        stage.run();
    }
    assert_eq!(word(&stage, 1), "amaz");
}

#[test]
fn a_picture_is_read_or_said_why_not() {
    let mut stage = restoring(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Open QR picture");
    assert!(stage.commands().iter().any(|command| matches!(command, Command::PickQr)));
    stage.tell(Update::QrRead(Err(QrProblem::NoCode)));
    stage.harness.get_by_label_contains("There is no QR code");
    let digits = zeroize::Zeroizing::new("000102030405060708090a0b0c0d0e0f".to_owned());
    stage.tell(Update::QrRead(Ok(digits.into())));
    assert_eq!(word(&stage, 9), "nestle");
}

#[test]
fn an_account_comes_back_or_nothing_typed_is_lost() {
    let mut stage = restoring(WIDE, ThemeChoice::Light);
    stage.harness.event(Event::Paste(PHRASE.into()));
    stage.run();
    click(&mut stage, "Restore");
    stage.tell(Update::Restoring(Progress::Messages { fetched: 312 }));
    stage.harness.get_by_label("Fetching messages, 312 so far");
    stage.harness.snapshot("restoring_light");
    click(&mut stage, "Cancel");
    assert!(stage.commands().iter().any(|command| matches!(command, Command::CancelRestore)));
    stage.tell(Update::RestoreCancelled);
    assert_eq!(word(&stage, 13), "faxed");
    click(&mut stage, "Restore");
    stage.tell(Update::AccountFailed("The disk is full: free some space and try again.".into()));
    stage.harness.get_by_label_contains("The disk is full");
    assert_eq!(word(&stage, 1), "amaze");
    click(&mut stage, "Restore");
    stage.tell(Update::NameNeeded);
    typed(&mut stage, "Eva");
    stage.harness.key_press(Key::Enter);
    stage.run();
    let name = stage.command(|c| if let Command::SetName(name) = c { Some(name) } else { None });
    assert_eq!(name, "Eva");
}

#[test]
fn a_new_account_shows_its_password_once() {
    let mut stage = first_run(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Create account");
    typed(&mut stage, "Eva");
    stage.harness.key_press(Key::Enter);
    stage.run();
    let name = stage.command(|c| if let Command::CreateAccount { name } = c { Some(name) } else { None });
    assert_eq!(name, "Eva");
    stage.tell(Update::Opened(Profile { id: sample::me(), name, picture: None, read: true }));
    assert!(stage.commands().iter().any(|command| matches!(command, Command::Recovery)));
    stage.tell(sample::recovery());
    stage.harness.get_by_label("9 nestle");
    stage.harness.snapshot("keep_dark");
    click(&mut stage, "Copy recovery password");
    let copied = stage.command(|c| if let Command::CopySecret(secret) = c { Some(secret) } else { None });
    assert_eq!((copied.reveal(), format!("{copied:?}").as_str()), (PHRASE, "Secret"));
    click(&mut stage, "Later");
    assert!(stage.harness.query_by_label("9 nestle").is_none());
    stage.harness.get_by_label("New conversation");
}

#[test]
fn names_are_checked_while_they_are_typed() {
    let mut stage = first_run(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Create account");
    typed(&mut stage, " ");
    stage.harness.get_by_label_contains("at least one character");
    stage.harness.event(Event::Text("e".repeat(102)));
    stage.run();
    stage.harness.get_by_label_contains("bytes over the limit");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(!stage.commands().iter().any(|command| matches!(command, Command::CreateAccount { .. })));
}

#[test]
fn the_smallest_window_shows_every_word_in_full() {
    let mut stage = first_run(SMALLEST, ThemeChoice::Light);
    click(&mut stage, "Create account");
    typed(&mut stage, "Eva");
    stage.harness.key_press(Key::Enter);
    stage.run();
    stage.tell(Update::Opened(Profile { id: sample::me(), name: "Eva".into(), picture: None, read: true }));
    stage.tell(sample::recovery());
    stage.harness.snapshot("keep_smallest_light");
}
