//! The bar above the composer that shows what a link leads to, and the one that asks whether to.
//!
//! Decision: nothing is asked of a website before a person has typed, rested for a moment, and switched previews on. A
//! link that was put away stays away as long as it stands there; one that came with a draft is not asked for again. What
//! the setting reveals is said once, where it matters: when a link is pasted for the first time.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::epaint::RectShape;
use egui::{
    Color32, ColorImage, Event, Id, ImageData, Rect, Sense, Spinner, TextureHandle, TextureOptions, Ui,
};
use egui::{WidgetInfo, pos2, vec2};
use septet_client::client::PreviewUrl;
use septet_client::model::{ConversationId, DraftPreview};

use crate::gui::command::{Command, ShownPreview};
use crate::gui::icons::Icon;
use crate::gui::text::{Weight, links};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::{paragraph, text_left};

/// How long nothing must be typed before a website is asked, in seconds.
const REST: f64 = 0.5;
/// How long an answer may take before that is shown, in seconds.
const SPIN: f64 = 1.0;
const HEIGHT: f32 = 52.0;

/// How far the preview of a link is.
#[derive(Default)]
enum State {
    /// There is none, and none is to come.
    #[default]
    Nothing,
    /// It is asked for at this time, if nothing is typed until then.
    Resting(f64),
    /// It was asked for at this time.
    Asked(f64),
    /// It is here.
    Ready(DraftPreview, Option<Arc<ColorImage>>, Option<TextureHandle>),
}

/// The preview of the first link of what is written.
#[derive(Default)]
pub struct LinkBar {
    url: Option<String>,
    state: State,
    /// Put away by the person, as long as it is the first link.
    hidden: bool,
    /// A link was pasted, and nobody was asked yet.
    offer: bool,
}

impl LinkBar {
    /// A draft came back, with or without a preview.
    pub fn begin(&mut self, text: &str, preview: Option<ShownPreview>) {
        self.url = PreviewUrl::first_in(text).map(|url| url.as_str().to_owned());
        self.state = State::Nothing;
        if let Some(ShownPreview { preview, picture }) = preview {
            self.hidden = false;
            self.state = State::Ready(preview, picture, None);
        }
    }

    /// The text changed at this time.
    pub fn changed(&mut self, text: &str, now: f64) {
        let url = PreviewUrl::first_in(text).map(|url| url.as_str().to_owned());
        if url == self.url {
            if let State::Resting(_) = self.state {
                self.state = State::Resting(now + REST);
            }
            return;
        }
        self.hidden = false;
        self.state = if url.is_some() { State::Resting(now + REST) } else { State::Nothing };
        self.url = url;
    }

    /// Notes whether a link is pasted.
    pub fn pasted(&mut self, ui: &Ui) {
        let link =
            |event: &Event| matches!(event, Event::Paste(text) if PreviewUrl::first_in(text).is_some());
        self.offer |= ui.input(|input| input.events.iter().any(link));
    }

    /// What a website answered. True if that is to be kept with the draft.
    pub fn arrived(&mut self, url: &str, preview: Option<ShownPreview>) -> bool {
        if self.url.as_deref() != Some(url) || self.hidden {
            return false;
        }
        self.state = match preview {
            Some(ShownPreview { preview, picture }) => State::Ready(preview, picture, None),
            None => State::Nothing,
        };
        matches!(self.state, State::Ready(..))
    }

    /// What is sent along with this text.
    pub fn preview(&self) -> Option<DraftPreview> {
        match &self.state {
            State::Ready(preview, ..) if !self.hidden => Some(preview.clone()),
            _ => None,
        }
    }

    /// Nothing is written any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Asks the website when it is time, and shows what there is. True if the preview was put away.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
        self.ask(ui, cx, conversation);
        if self.offer && self.url.is_some() && cx.state.link_previews.is_none() {
            self.offer(ui, cx);
        }
        if self.hidden {
            return false;
        }
        match &self.state {
            State::Nothing | State::Resting(_) => false,
            State::Asked(since) => {
                let left = since + SPIN - ui.input(|input| input.time);
                if left > 0.0 {
                    ui.ctx().request_repaint_after_secs(left as f32);
                    return false;
                }
                self.bar(ui, cx)
            }
            State::Ready(..) => self.bar(ui, cx),
        }
    }

    fn ask(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId) {
        let State::Resting(at) = self.state else { return };
        if cx.state.link_previews != Some(true) {
            return;
        }
        let now = ui.input(|input| input.time);
        if now < at {
            ui.ctx().request_repaint_after_secs((at - now) as f32);
        } else if let Some(url) = self.url.clone() {
            self.state = State::Asked(now);
            cx.send(Command::FetchPreview { conversation, url });
            ui.ctx().request_repaint_after_secs(SPIN as f32);
        }
    }

    /// Title, host and picture, or a sign that they are on their way.
    fn bar(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
        ui.painter().rect_filled(row, 10, cx.theme.raised);
        let square = Rect::from_min_size(row.min, vec2(HEIGHT, HEIGHT)).shrink(6.0);
        let left = square.right() + 12.0;
        let width = row.right() - 48.0 - left;
        let label = match &mut self.state {
            State::Ready(preview, picture, texture) => {
                thumbnail(ui, cx, square, picture.as_ref(), texture);
                let title = cx.body().weight(Weight::Semibold);
                text_left(ui.painter(), pos2(left, row.top() + 17.0), &preview.title, title, width);
                let host = links::host(&preview.url).unwrap_or_default();
                text_left(ui.painter(), pos2(left, row.top() + 36.0), &host, cx.small(), width);
                cx.strings.with(
                    "link-preview-of",
                    [("title", preview.title.as_str().into()), ("host", host.into())],
                )
            }
            _ => {
                Spinner::new().size(18.0).color(cx.theme.muted).paint_at(ui, square.shrink(10.0));
                let said = cx.t("link-preview-loading").to_string();
                text_left(ui.painter(), pos2(left, row.center().y), &said, cx.small(), width);
                said
            }
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
        let close = Rect::from_center_size(pos2(row.right() - 22.0, row.center().y), vec2(32.0, 32.0));
        let hide =
            button::icon_at(ui, cx, close, Id::unique("no preview"), Icon::X, &cx.t("link-preview-hide"));
        ui.add_space(10.0);
        if hide.clicked() {
            self.hidden = true;
        }
        self.hidden
    }

    /// Whether to show previews of links at all, and what that means.
    fn offer(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        paragraph(ui, &cx.t("link-offer"), cx.body().weight(Weight::Semibold));
        ui.add_space(2.0);
        paragraph(ui, &cx.t("link-offer-text"), cx.small());
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let on = button::wide(ui, cx, &cx.t("link-offer-on"), Tone::Primary, 112.0).clicked();
            ui.add_space(8.0);
            let off = button::wide(ui, cx, &cx.t("link-offer-off"), Tone::Quiet, 112.0).clicked();
            if on || off {
                self.offer = false;
                cx.send(Command::SetLinkPreviews(on));
            }
        });
        ui.add_space(10.0);
    }
}

/// The picture of a page, filling a square.
fn thumbnail(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    square: Rect,
    picture: Option<&Arc<ColorImage>>,
    texture: &mut Option<TextureHandle>,
) {
    let Some(image) = picture else {
        ui.painter().rect_filled(square, 7, cx.theme.hover);
        Icon::LINK.paint(ui.painter(), square.center(), 18.0, cx.theme.muted);
        return;
    };
    let texture = texture.get_or_insert_with(|| {
        ui.ctx().load_texture("link", ImageData::Color(Arc::clone(image)), TextureOptions::LINEAR)
    });
    let size = texture.size_vec2();
    let part = if size.x > size.y { vec2(size.y / size.x, 1.0) } else { vec2(1.0, size.x / size.y) };
    let shape = RectShape::filled(square, 7, Color32::WHITE);
    ui.painter().add(shape.with_texture(texture.id(), Rect::from_center_size(pos2(0.5, 0.5), part)));
}
