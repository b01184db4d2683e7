//! Messages that disappear, who types, what was read, and what of that is told.

use egui::accesskit::{Role, Toggled};
use egui::{Key, pos2};
use egui_kittest::kittest::{NodeT, Queryable};
use septet::gui::command::{Change, Command, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};
use super::use_it::write;

const WIDE: [f32; 2] = [1200.0, 820.0];
const DAY: u32 = 86_400;

fn stage(theme: ThemeChoice) -> Stage {
    let mut stage = Stage::open(WIDE, theme);
    stage.commands();
    stage
}

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

fn choose(stage: &mut Stage, label: &str) {
    stage.harness.get_by_role_and_label(Role::RadioButton, label).click();
    stage.run();
}

/// The sample with another account of things for the open conversation.
fn with(stage: &mut Stage, change: impl Fn(&mut Conversation)) {
    let mut list = sample::conversations();
    change(list.iter_mut().find(|conversation| conversation.id == sample::mara()).unwrap());
    stage.tell(Update::Conversations(shared(list)));
}

/// The timers that were set since the last call.
fn timers(stage: &mut Stage) -> Vec<(ConversationId, Expiry)> {
    let timer = |command| match command {
        Command::Change(id, Change::Expiry(expiry)) => Some((id, expiry)),
        _ => None,
    };
    stage.commands().into_iter().filter_map(timer).collect()
}

fn is_there(stage: &Stage, label: &str) -> bool {
    stage.harness.query_by_label(label).is_some()
}

const CHIP: &str = "Disappearing messages, 1 week after read";

#[test]
fn the_timer_is_set_from_the_head() {
    let mut stage = stage(ThemeChoice::Dark);
    click(&mut stage, CHIP);
    stage.harness.get_by_role_and_label(Role::RadioButton, "1 week");
    choose(&mut stage, "After send");
    choose(&mut stage, "2 weeks");
    assert!(timers(&mut stage).is_empty(), "it holds when it is set");
    click(&mut stage, "Set");
    assert_eq!(timers(&mut stage), [(sample::mara(), Expiry::AfterSend(14 * DAY))]);
    assert!(!is_there(&stage, "Set"), "and the page is left");
    assert!(!is_there(&stage, "Picture of Mara Reyes"), "to where it was opened");
    with(&mut stage, |mara| mara.expiry = Expiry::Off);
    click(&mut stage, "Set disappearing messages");
    choose(&mut stage, "After read");
    click(&mut stage, "Set");
    assert_eq!(
        timers(&mut stage),
        [(sample::mara(), Expiry::AfterRead(DAY / 2))],
        "12 hours are offered first"
    );
}

#[test]
fn the_timer_is_set_from_the_details_and_escape_leads_back() {
    let mut stage = stage(ThemeChoice::Dark);
    click(&mut stage, "Contact details");
    click(&mut stage, "Disappearing, 1 week after read");
    assert!(is_there(&stage, "Set"));
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(is_there(&stage, "Picture of Mara Reyes"));
    assert!(timers(&mut stage).is_empty());
}

#[test]
fn notes_disappear_after_sending_or_not_at_all() {
    let mut stage = stage(ThemeChoice::Dark);
    let note = sample::conversations()[0].id;
    stage.window().open(note);
    stage.run();
    click(&mut stage, "Set disappearing messages");
    let choices = |stage: &Stage| stage.harness.query_all_by_role(Role::RadioButton).count();
    assert_eq!(choices(&stage), 2);
    assert!(!is_there(&stage, "After read"));
    choose(&mut stage, "After send");
    assert_eq!(choices(&stage), 2 + 4);
    click(&mut stage, "Set");
    assert_eq!(timers(&mut stage), [(note, Expiry::AfterSend(DAY))]);
}

#[test]
fn a_timer_of_the_other_is_followed_by_a_click_if_it_is_not_ours() {
    let mut stage = stage(ThemeChoice::Light);
    let mut line = sample::message(90, false, "", sample::clock(14, 32));
    line.notice = Some(Notice::ExpiryChanged { expiry: Expiry::AfterSend(DAY) });
    stage.tell(Update::Message(Box::new(line)));
    click(&mut stage, "Follow setting, 1 day after sent");
    assert_eq!(timers(&mut stage), [(sample::mara(), Expiry::AfterSend(DAY))]);
    stage.harness.hover_at(pos2(600.0, 816.0));
    stage.run();
    stage.harness.snapshot("follow_light");
    with(&mut stage, |mara| mara.expiry = Expiry::AfterSend(DAY));
    assert!(!is_there(&stage, "Follow setting, 1 day after sent"));
    with(&mut stage, |mara| mara.blocked = true);
    assert!(!is_there(&stage, "Follow setting, 1 day after sent"));
}

#[test]
fn the_page_with_the_timer() {
    let mut dark = stage(ThemeChoice::Dark);
    click(&mut dark, CHIP);
    dark.harness.hover_at(pos2(600.0, 816.0));
    dark.run();
    dark.harness.snapshot("timer_dark");
}

#[test]
fn the_page_with_the_timer_in_the_smallest_window() {
    let mut small = Stage::open([360.0, 480.0], ThemeChoice::Light);
    click(&mut small, CHIP);
    small.harness.snapshot("timer_smallest_light");
}

/// A message of the last moment that lasts for so many seconds, of which so many are left.
fn timed(id: i64, outgoing: bool, text: &str, total: u32, left: Option<u64>) -> Update {
    let mut message = sample::message(id, outgoing, text, sample::NOW);
    message.expiry = Expiry::AfterRead(total);
    message.expires_at = left.map(|left| sample::NOW + left * 1000);
    Update::Message(Box::new(message))
}

#[test]
fn what_disappears_says_what_is_left_of_it() {
    let mut stage = stage(ThemeChoice::Dark);
    stage.tell(timed(91, true, "for a day", DAY, Some(u64::from(DAY) / 3 + 60)));
    stage.tell(timed(92, false, "for two weeks", 14 * DAY, Some(u64::from(DAY) * 12 + 3600)));
    stage.tell(timed(93, false, "not read yet", 3600, None));
    let time = "14:32"; // the sample's now
    let said = [
        format!("You: for a day, {time}, Read, disappears in 8h 1m"),
        format!("Mara Reyes: for two weeks, {time}, disappears in 1w 5d"),
        format!("Mara Reyes: not read yet, {time}, disappears 1 hour after read"),
    ];
    for label in &said {
        stage.harness.get_by_label(label);
    }
    stage.harness.hover_at(pos2(600.0, 816.0));
    stage.run();
    stage.harness.snapshot("countdown_dark");
    // By the network's clock, not by this machine's.
    stage.tell(Update::ClockAhead(3_600_000));
    stage.harness.get_by_label(&format!("You: for a day, {time}, Read, disappears in 7h 1m"));
}

#[test]
fn the_window_is_drawn_again_only_at_the_next_step() {
    let mut stage = stage(ThemeChoice::Dark);
    let delay = |stage: &mut Stage| {
        // Long after the last key: the text cursor does not blink any more.
        let now = stage.harness.ctx.input(|input| input.time);
        stage.harness.input_mut().time = Some(now + 600.0);
        stage.harness.run_steps(4);
        stage.harness.output().viewport_output.values().map(|it| it.repaint_delay).min().unwrap()
    };
    stage.tell(timed(91, false, "nobody has read it", 12, None));
    let quiet = delay(&mut stage);
    assert!(quiet.as_secs() > 3600, "nothing counts: {quiet:?}");
    stage.tell(timed(92, true, "twelve hours", 12 * 3600, Some(12 * 3600)));
    let hour = delay(&mut stage);
    assert!((3590..=3600).contains(&hour.as_secs()), "{hour:?}");
}

#[test]
fn states_are_pictures_and_words_for_who_hears_them() {
    let mut stage = stage(ThemeChoice::Light);
    for (id, state, read) in [
        (94, MessageState::Sent, false),
        (95, MessageState::Sent, true),
        (96, MessageState::Sending, false),
        (97, MessageState::Failed, false),
    ] {
        let mut message = sample::message(id, true, &format!("number {id}"), sample::NOW);
        (message.state, message.read) = (state, read);
        stage.tell(Update::Message(Box::new(message)));
    }
    for (id, word) in [(94, "Sent"), (95, "Read"), (96, "Sending"), (97, "Not sent")] {
        stage.harness.get_by_label(&format!("You: number {id}, 14:32, {word}"));
    }
    stage.harness.hover_at(pos2(600.0, 816.0));
    stage.run();
    stage.harness.snapshot("states_light");
}

#[test]
fn who_types_is_shown_in_the_list_and_below_the_messages() {
    let mut stage = stage(ThemeChoice::Dark);
    assert!(!is_there(&stage, "Mara Reyes is typing"));
    stage.harness.ctx.all_styles_mut(|style| style.animation_time = 0.0);
    stage.tell(Update::Typing(sample::mara(), true));
    stage.harness.get_by_label("Mara Reyes is typing");
    stage.harness.get_by_label("Mara Reyes, typing…");
    stage.harness.hover_at(pos2(600.0, 816.0));
    stage.run();
    stage.harness.snapshot("typing_dark");
    stage.tell(Update::Typing(sample::mara(), false));
    assert!(!is_there(&stage, "Mara Reyes is typing"));
    assert!(!is_there(&stage, "Mara Reyes, typing…"));
    stage.tell(Update::Typing(sample::stranger(), true));
    assert!(!is_there(&stage, "Mara Reyes is typing"), "somebody else does");
}

/// What was said of typing since the last call.
fn typed(stage: &mut Stage) -> Vec<TypingNow> {
    let typing = |command| match command {
        Command::Typing(id, what) => {
            assert_eq!(id, sample::mara());
            Some(what)
        }
        _ => None,
    };
    stage.commands().into_iter().filter_map(typing).collect()
}

#[test]
fn keys_are_told_and_that_nothing_is_written_any_more() {
    let mut stage = stage(ThemeChoice::Dark);
    write(&mut stage, "a");
    assert!(typed(&mut stage).is_empty(), "it is off");
    stage.tell(Update::Settings(Settings { typing_indicators: true, ..Settings::default() }));
    write(&mut stage, "b");
    assert_eq!(typed(&mut stage), [TypingNow::Key]);
    for _ in 0..2 {
        stage.harness.key_press(Key::Backspace);
        stage.run();
    }
    assert_eq!(typed(&mut stage), [TypingNow::Key, TypingNow::Stopped]);
    write(&mut stage, "c");
    typed(&mut stage);
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(typed(&mut stage).is_empty(), "the message says it");
    write(&mut stage, "d");
    click(&mut stage, "Tomasz");
    assert_eq!(typed(&mut stage), [TypingNow::Key, TypingNow::Stopped], "left with something written");
}

#[test]
fn what_is_told_is_switched_on_our_page() {
    let mut stage = Stage::open([1200.0, 1300.0], ThemeChoice::Dark);
    stage.window().open_account();
    stage.run();
    stage.commands();
    let is_on = |stage: &Stage, name: &str| {
        let switch = stage.harness.get_by_role_and_label(Role::Switch, name);
        switch.accesskit_node().toggled() == Some(Toggled::True)
    };
    for name in ["Read receipts", "Typing indicators"] {
        assert!(!is_on(&stage, name), "{name}");
        stage.harness.get_by_role_and_label(Role::Switch, name).click();
        stage.run();
    }
    let commands = stage.commands();
    assert!(commands.iter().any(|command| matches!(command, Command::SetReadReceipts(true))));
    assert!(commands.iter().any(|command| matches!(command, Command::SetTypingIndicators(true))));
    stage.tell(Update::Settings(Settings { read_receipts: true, typing_indicators: false }));
    assert!(is_on(&stage, "Read receipts") && !is_on(&stage, "Typing indicators"));
    stage.harness.hover_at(pos2(600.0, 1296.0));
    stage.harness.run_steps(20);
    stage.harness.snapshot("privacy_dark");
    stage.harness.get_by_role_and_label(Role::Switch, "Read receipts").click();
    stage.run();
    assert!(stage.commands().iter().any(|command| matches!(command, Command::SetReadReceipts(false))));
}
