//! Our own page: name, Account ID, recovery password, theme.

use egui::{Sense, Ui, pos2, vec2};

use super::super::command::{Command, RecoveryWords};
use super::super::icons::Icon;
use super::super::text::{Style, Weight};
use super::super::theme::{ThemeChoice, radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::avatar::Avatar;
use super::super::widgets::button::{self, Tone};
use super::super::widgets::{dialog, paragraph, text_center};

/// How long the recovery password stays on screen, in seconds.
const SHOWN_FOR: f64 = 60.0;

/// What the page remembers between frames.
#[derive(Default)]
pub struct Account {
    recovery: Option<(RecoveryWords, Option<f64>)>,
}

impl Account {
    /// The recovery password was asked for and is here.
    pub fn recovered(&mut self, words: RecoveryWords) {
        self.recovery = Some((words, None));
    }

    /// Shows the page; true to close it. `choice` is the theme.
    pub fn show(&mut self, ui: &Ui, cx: &ViewCtx<'_>, choice: &mut ThemeChoice) -> bool {
        let Some(me) = &cx.state.me else { return true };
        self.hide_in_time(ui);
        let (done, close) = dialog::show(ui, cx, "account", 440.0, |ui| {
            let width = ui.available_width();
            let (rect, _) = ui.allocate_exact_size(vec2(width, 72.0), Sense::hover());
            Avatar { id: me.id, name: &me.name, picture: me.picture.as_ref(), note: false }.paint(
                ui.painter(),
                rect.center(),
                72.0,
                cx,
            );
            ui.add_space(10.0);
            let (rect, _) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
            let style = Style::new(size::HEADING - 2.0, cx.theme.text).weight(Weight::Bold);
            text_center(ui.painter(), rect.center(), &me.name, style, width);
            section(ui, cx, "account-id");
            secret(ui, cx, &me.id.to_string(), "copy-account-id", "account-id-copied");
            section(ui, cx, "recovery-password");
            self.recovery(ui, cx);
            section(ui, cx, "theme");
            theme_choice(ui, cx, choice);
            ui.add_space(20.0);
            button::wide(ui, cx, &cx.t("done"), Tone::Quiet, width).clicked()
        });
        let closed = done || close;
        if closed {
            self.recovery = None;
        }
        closed
    }

    fn recovery(&self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        match &self.recovery {
            Some((words, _)) => secret(ui, cx, &words.phrase, "copy-recovery", "recovery-copied"),
            None => {
                paragraph(ui, &cx.t("recovery-explained"), cx.small());
                ui.add_space(8.0);
                let width = ui.available_width();
                if button::wide(ui, cx, &cx.t("show-recovery"), Tone::Quiet, width).clicked() {
                    cx.send(Command::Recovery);
                }
            }
        }
    }

    fn hide_in_time(&mut self, ui: &Ui) {
        let now = ui.input(|input| input.time);
        if let Some((_, until)) = &mut self.recovery {
            let until = *until.get_or_insert(now + SHOWN_FOR);
            if until <= now {
                self.recovery = None;
            } else {
                ui.ctx().request_repaint_after_secs((until - now) as f32);
            }
        }
    }
}

fn section(ui: &mut Ui, cx: &ViewCtx<'_>, name: &'static str) {
    ui.add_space(18.0);
    paragraph(ui, &cx.t(name), cx.tiny().weight(Weight::Semibold));
    ui.add_space(6.0);
}

/// A text to copy, with the button that does.
fn secret(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str, copy: &'static str, copied: &'static str) {
    let width = ui.available_width();
    let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Mono).line(20.0);
    let galley = super::super::text::layout(
        ui.ctx(),
        text,
        style,
        super::super::text::Wrap::Lines(width - 24.0 - 40.0),
    );
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 20.0), Sense::hover());
    ui.painter().rect_filled(rect, radius::FIELD, cx.theme.raised);
    ui.painter().galley(rect.min + vec2(12.0, 10.0), galley, style.color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
    let place = egui::Rect::from_center_size(pos2(rect.right() - 22.0, rect.center().y), vec2(32.0, 32.0));
    if button::icon_at(ui, cx, place, egui::Id::unique(copy), Icon::COPY, &cx.t(copy)).clicked() {
        cx.copy(ui, text, copied);
    }
}

fn theme_choice(ui: &mut Ui, cx: &ViewCtx<'_>, choice: &mut ThemeChoice) {
    let third = (ui.available_width() - 16.0) / 3.0;
    ui.horizontal(|ui| {
        for (index, (option, label)) in [
            (ThemeChoice::System, "theme-system"),
            (ThemeChoice::Dark, "theme-dark"),
            (ThemeChoice::Light, "theme-light"),
        ]
        .into_iter()
        .enumerate()
        {
            if index > 0 {
                ui.add_space(8.0);
            }
            let tone = if *choice == option { Tone::Primary } else { Tone::Quiet };
            if button::words(ui, cx, &cx.t(label), tone, vec2(third, 34.0)).clicked() {
                *choice = option;
            }
        }
    });
}
