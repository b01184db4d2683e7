//! A picture in full, over the whole window: previous and next, save, close.

use egui::{Area, Color32, Id, Key, Order, Rect, Sense, Ui, pos2, vec2};
use septet_client::model::{AttachmentId, ConversationId};

use super::super::super::command::ImageKey;
use super::super::super::icons::Icon;
use super::super::super::images::Picture;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::{button, text_center};
use super::message::{file_menu, is_here, may_move};

/// Pixels of the longer side.
const SIDE: u32 = 2560;
/// As the former, while it moves.
const MOVING: u32 = 1280;

/// Shows a picture of a conversation; `shown` changes to the previous or next. True to close.
pub fn show(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    conversation: ConversationId,
    id: AttachmentId,
    shown: &mut Option<AttachmentId>,
) -> bool {
    let Some(thread) = cx.state.thread(conversation) else { return true };
    let Some((message, attachment)) = thread.attachment(id) else { return true };
    let all: Vec<AttachmentId> = thread
        .messages
        .iter()
        .flat_map(|message| &message.attachments)
        .filter(|a| a.is_image() && is_here(a))
        .map(|a| a.id)
        .collect();
    let at = all.iter().position(|other| *other == id);
    let previous = at.and_then(|at| all.get(at.checked_sub(1)?).copied());
    let next = at.and_then(|at| all.get(at + 1).copied());
    let screen = ui.ctx().content_rect();
    let mut close = false;
    Area::new(Id::unique("viewer")).order(Order::Foreground).fixed_pos(screen.min).show(ui.ctx(), |ui| {
        let veil = ui.allocate_rect(screen, Sense::click());
        ui.painter().rect_filled(screen, 0, Color32::from_black_alpha(0xf4));
        let room = screen.shrink2(vec2(64.0, 64.0));
        let frame = picture(ui, cx, id, may_move(attachment), room);
        let caption = format!(
            "{}  ·  {}",
            super::words::author(cx, message.from),
            cx.clock.full(message.timestamp, cx.strings)
        );
        let light = cx.small().color(Color32::from_white_alpha(0xcc));
        text_center(
            ui.painter(),
            pos2(screen.center().x, screen.bottom() - 28.0),
            &caption,
            light,
            room.width(),
        );
        let mut bright = *cx.theme;
        bright.muted = Color32::from_white_alpha(0xcc);
        bright.text = Color32::WHITE;
        bright.hover = Color32::from_white_alpha(0x22);
        let cx = &ViewCtx { theme: &bright, ..*cx };
        let place = |center| Rect::from_center_size(center, vec2(40.0, 40.0));
        let corner = screen.right_top();
        let save = place(corner + vec2(-76.0, 32.0));
        if button::icon_at(ui, cx, save, Id::unique("viewer save"), Icon::SAVE, &cx.t("save-as")).clicked() {
            cx.send(file_menu::save_as(message, id));
        }
        let out = place(corner + vec2(-32.0, 32.0));
        close |= button::icon_at(ui, cx, out, Id::unique("viewer close"), Icon::X, &cx.t("close")).clicked();
        let sides = [
            (
                previous,
                screen.left_center() + vec2(32.0, 0.0),
                Icon::CHEVRON_LEFT,
                "previous",
                Key::ArrowLeft,
            ),
            (next, screen.right_center() - vec2(32.0, 0.0), Icon::CHEVRON_RIGHT, "next", Key::ArrowRight),
        ];
        for (target, center, icon, label, key) in sides {
            let Some(target) = target else { continue };
            let response = button::icon_at(ui, cx, place(center), Id::unique(label), icon, &cx.t(label));
            if response.clicked() || ui.input(|input| input.key_pressed(key)) {
                *shown = Some(target);
            }
        }
        let outside = veil.interact_pointer_pos().is_none_or(|at| !frame.contains(at));
        close |= veil.clicked() && outside;
    });
    close || ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Escape))
}

/// Paints the picture in the middle; what is shown until it is ready is the small one.
fn picture(ui: &Ui, cx: &ViewCtx<'_>, id: AttachmentId, may_move: bool, room: Rect) -> Rect {
    let full = cx.images.get(cx.actions, &ImageKey::Full(id), SIDE);
    let moving = || cx.images.animations.get(ui.ctx(), cx.actions, &ImageKey::Full(id), MOVING);
    let moving = may_move.then(moving).flatten();
    let found = match full {
        _ if moving.is_some() => moving,
        Picture::Ready { texture, size } => Some((texture, size)),
        _ => match cx.images.get(cx.actions, &ImageKey::Attachment(id), SIDE) {
            Picture::Ready { texture, size } => Some((texture, size)),
            _ => None,
        },
    };
    let Some((texture, size)) = found else {
        Icon::IMAGE.paint(ui.painter(), room.center(), 32.0, Color32::from_white_alpha(0x88));
        return Rect::from_center_size(room.center(), vec2(64.0, 64.0));
    };
    let scale =
        (room.width() / size.x).min(room.height() / size.y).min(1.0 / ui.ctx().pixels_per_point() * 2.0);
    let frame = Rect::from_center_size(room.center(), size * scale.min(1.0));
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture, frame, whole, Color32::WHITE);
    frame
}
