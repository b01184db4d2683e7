//! A list and a conversation to look at: what pictures, benches and the gallery show.

use std::sync::Arc;
use std::time::Duration;

use egui::{Color32, ColorImage};
use septet::gui::command::{ImageKey, RecoveryWords, Update};
use septet::gui::sound::{ClipKey, SoundNews};
use septet::gui::theme::Theme;
use septet::gui::widgets::avatar;
use septet_audio::Waveform;
use septet_client::model::*;
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
/// Sunday, 22 November 2026, 14:32 UTC.
pub const NOW: Timestamp = Timestamp::from_ms(1_795_357_920_000);

/// An account whose avatar has the colour of this number, told apart by `tag`.
fn account(tag: u8, color: usize) -> SessionId {
    (0..=255)
        .map(|last| {
            let mut key = [tag; 32];
            (key[30], key[31]) = (tag, last);
            SessionId(key)
        })
        .find(|id| avatar::color(*id) == Theme::AVATARS[color])
        .unwrap()
}

/// Us.
pub fn me() -> SessionId {
    account(1, 6)
}

/// The number of the conversation with somebody.
pub fn with(id: SessionId) -> ConversationId {
    ConversationId(id.0[0].into())
}

/// The account whose conversation is open.
pub fn mara_id() -> SessionId {
    account(2, 2)
}

/// The conversation that is open.
pub fn mara() -> ConversationId {
    with(mara_id())
}

/// The account of a stranger.
pub fn stranger_id() -> SessionId {
    account(9, 3)
}

/// The conversation of a stranger whose request waits.
pub fn stranger() -> ConversationId {
    with(stranger_id())
}

/// A time of today.
pub fn clock(hours: u64, minutes: u64) -> Timestamp {
    let midnight = NOW.as_ms() / DAY * DAY;
    Timestamp::from_ms(midnight + (hours * 60 + minutes) * MINUTE)
}

fn conversation(id: SessionId, name: &str, text: &str, at: Timestamp) -> Conversation {
    Conversation {
        id: with(id),
        address: id.into(),
        kind: ConversationKind::Private,
        name: name.into(),
        nickname: None,
        picture: None,
        unread: 0,
        mentions: 0,
        marked_unread: false,
        pinned: 0,
        muted_until: None,
        hidden: false,
        approved: true,
        approved_me: true,
        blocked: false,
        draft: None,
        last_message: Some(LastMessage {
            id: MessageId(1),
            from: id,
            outgoing: false,
            text: text.into(),
            attachment: None,
            notice: None,
            timestamp: at,
            state: MessageState::Received,
            read: true,
            deleted: false,
        }),
        active_at: at,
        expiry: Expiry::Off,
        downloads: Downloads::Automatic,
    }
}

fn last(conversation: &mut Conversation) -> &mut LastMessage {
    conversation.last_message.as_mut().unwrap()
}

/// The list.
pub fn conversations() -> Vec<Conversation> {
    let mut note = conversation(me(), "", "Door code, Thursday", clock(9, 2));
    (note.kind, note.pinned) = (ConversationKind::NoteToSelf, 1);
    let mut open = conversation(mara_id(), "Mara Reyes", "Yes! Third one down, by the water", clock(14, 31));
    open.expiry = Expiry::AfterRead(604_800);
    (last(&mut open).outgoing, last(&mut open).state) = (true, MessageState::Sent);
    open.draft = None;
    let mut crew = conversation(account(3, 1), "Weekend crew", "Jonas: who brings the stove?", clock(14, 12));
    (crew.unread, crew.mentions) = (4, 1);
    let mut tomasz = conversation(account(4, 3), "Tomasz", "", clock(13, 50));
    tomasz.draft = Some(DraftSummary { text: "I can be there at six if".into(), ..Default::default() });
    let nour = conversation(account(5, 4), "نور", "سأرسل لك الصور مساءً", clock(11, 5));
    let mut library =
        conversation(account(6, 0), "Library of things", "Is the drill back?", clock(18, 20) - DAY);
    (last(&mut library).outgoing, last(&mut library).state) = (true, MessageState::Failed);
    let mut key = [0xa1; 32];
    (key[30], key[31]) = (0x9c, 0x3e);
    let mut nameless = conversation(SessionId(key), "", "", clock(16, 0) - DAY);
    last(&mut nameless).attachment = Some(AttachmentSummary {
        content_type: "application/vnd.oasis.opendocument.spreadsheet".into(),
        name: "budget-2027.ods".into(),
        count: 1,
        voice: false,
    });
    let mut kenta = conversation(account(8, 1), "健太", "了解です、また明日。", clock(10, 0) - 6 * DAY);
    kenta.muted_until = Some(Timestamp::from_ms(u64::MAX));
    let mut list = vec![note, open, crew, tomasz, nour, library, nameless, kenta];
    for (id, name) in [(stranger_id(), "Ines"), (account(10, 5), "Bo")] {
        let mut request = conversation(id, name, "Hello, we met at the library", clock(8, 0));
        request.approved = false;
        list.push(request);
    }
    list
}

/// A message of the open conversation.
pub fn message(id: i64, outgoing: bool, text: &str, at: Timestamp) -> Message {
    Message {
        id: MessageId(id),
        conversation: mara(),
        from: if outgoing { me() } else { mara_id() },
        outgoing,
        timestamp: at,
        sorted_at: at,
        hash: None,
        text: text.into(),
        state: if outgoing { MessageState::Sent } else { MessageState::Received },
        failure: None,
        read: true,
        attachments: Vec::new(),
        quote: None,
        preview: None,
        reactions: Vec::new(),
        notice: None,
        deleted: false,
        deleted_here: false,
        expires_at: None,
        expiry: Expiry::Off,
    }
}

fn attachment(id: i64, name: &str, content_type: &str, size: u64, state: AttachmentState) -> Attachment {
    Attachment {
        id: AttachmentId(id),
        name: name.into(),
        content_type: content_type.into(),
        size,
        dimensions: Some((1600, 1067)),
        voice: false,
        state,
    }
}

/// The messages of the open conversation.
pub fn messages() -> Vec<Message> {
    let mut pictures = message(3, true, "These two came out best", clock(14, 9));
    pictures.attachments = vec![
        attachment(1, "lake.jpg", "image/jpeg", 800_000, AttachmentState::Local),
        attachment(2, "evening.jpg", "image/jpeg", 900_000, AttachmentState::Local),
    ];
    pictures.reactions = vec![Reaction { emoji: "😍".into(), from: vec![mara_id(), me()] }];
    let mut voice = message(4, false, "", clock(14, 20));
    voice.attachments = vec![attachment(3, "voice.m4a", "audio/mp4", 96_000, AttachmentState::Local)];
    voice.attachments[0].voice = true;
    let mut timer = message(5, true, "", clock(14, 21));
    timer.notice = Some(Notice::ExpiryChanged { expiry: Expiry::AfterRead(604_800) });
    let mut question = message(6, false, "Which spot was it, can we go back there? 👀", clock(14, 28));
    question.read = false;
    question.quote = Some(Quote {
        author: me(),
        timestamp: pictures.timestamp,
        message: Some(pictures.id),
        text: pictures.text.clone(),
        attachment: None,
        picture: None,
    });
    let mut answer = message(7, true, "Yes! Third one down, by the water", clock(14, 31));
    answer.read = false;
    let mut route = message(8, true, "", clock(14, 31));
    let sending = AttachmentState::Uploading { done: 1_800_000, total: 2_900_000 };
    route.attachments =
        vec![attachment(4, "route-to-the-lake.gpx", "application/gpx+xml", 2_900_000, sending)];
    (route.state, route.read) = (MessageState::Sending, false);
    vec![
        message(1, false, "Are the pictures from Sunday still on your phone?", clock(14, 2)),
        message(2, false, "I'd love the one at the lake 🌊", clock(14, 2)),
        pictures,
        voice,
        timer,
        question,
        answer,
        route,
    ]
}

fn hop(ip: &str, country: &str) -> PathHop {
    PathHop { ip: ip.into(), country: Some(country.into()), ed25519: "0".repeat(64) }
}

/// Everything that happened before the first frame.
pub fn updates() -> Vec<Update> {
    let path = vec![hop("203.0.113.7", "DE"), hop("198.51.100.22", "JP"), hop("192.0.2.140", "CA")];
    let page = MessagePage { messages: messages(), more_before: false, more_after: false };
    vec![
        Update::Opened(Profile { id: me(), name: "Eva Vogel".into(), picture: None, read: true }),
        Update::Conversations(Arc::new(conversations())),
        Update::Connection(Connection { state: ConnectionState::Connected, paths: vec![path] }),
        Update::Page { conversation: mara(), page: Page::Newest, messages: page },
        Update::Image(ImageKey::Attachment(AttachmentId(1)), Some(lake())),
        Update::Image(ImageKey::Attachment(AttachmentId(2)), Some(evening())),
        Update::Sound(SoundNews::Looked(voice(), Some(waveform(23)))),
    ]
}

/// The clip of the open conversation.
pub fn voice() -> ClipKey {
    ClipKey::Attachment(AttachmentId(3))
}

/// Somebody speaks for so many seconds.
pub fn waveform(seconds: u64) -> Waveform {
    let bars = std::array::from_fn(|at| (30 + (at * 83 + at * at * 7) % 226) as u8);
    Waveform { bars, duration: Duration::from_secs(seconds) }
}

/// A picture of a lake at noon.
pub fn lake() -> ColorImage {
    gradient([0x7fb2e5, 0xe9c46a, 0x2a6f97], 0.6, (0.35, 0.94))
}

/// A picture of an evening sky.
pub fn evening() -> ColorImage {
    gradient([0x355070, 0xb56576, 0xeaac8b], 0.55, (-0.35, 0.94))
}

/// Three colours, the middle one at `stop`, changing along a direction.
fn gradient(colors: [u32; 3], stop: f32, along: (f32, f32)) -> ColorImage {
    let (width, height) = (380, 256);
    let [from, middle, to] =
        colors.map(|hex| Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8));
    let color = |x: usize, y: usize| {
        let (x, y) = (x as f32 / width as f32 - 0.5, y as f32 / height as f32 - 0.5);
        let at = ((x * along.0 + y * along.1) / (along.0.abs() + along.1.abs()) + 0.5).clamp(0.0, 1.0);
        if at < stop {
            from.lerp_to_gamma(middle, at / stop)
        } else {
            middle.lerp_to_gamma(to, (at - stop) / (1.0 - stop))
        }
    };
    let pixels = (0..width * height).map(|index| color(index % width, index / width)).collect();
    ColorImage::new([width, height], pixels)
}

/// The recovery password of nobody.
pub fn recovery() -> Update {
    let seed = septet_protocol::account::Seed::from_bytes(std::array::from_fn(|i| i as u8));
    Update::Recovery(RecoveryWords { phrase: seed.to_phrase(), bip39: seed.to_bip39(), hex: seed.to_hex() })
}
