//! The order in which things arrive does not matter for what is there afterwards.

use proptest::prelude::*;
use septet_protocol::message::Expiration;
use septet_protocol::message::newer::UnknownType;

use super::*;

/// What one sees of a message, without numbers that depend on the order of arrival.
fn visible(message: Message) -> impl PartialEq + std::fmt::Debug {
    let reactions: Vec<_> = message
        .reactions
        .into_iter()
        .map(|reaction| {
            let mut from = reaction.from;
            from.sort();
            (reaction.emoji, from)
        })
        .collect();
    let quote = message.quote.map(|quote| quote.text);
    let said = (message.text, message.notice, message.preview, message.deleted);
    (message.timestamp, message.sorted_at, message.from, said, message.read, reactions, quote)
}

/// A few bytes that say what is said: kind, by us or not, which message it points at, which emoji.
type Said = (u8, bool, i64, usize);

/// A conversation with everything that can be said in it, some of it pointing at what is not there.
fn everything(said: &[Said]) -> Vec<ReceivedItem> {
    (0_i64..).zip(said).map(|(index, said)| something(index, *said)).collect()
}

fn something(index: i64, (what, own, target, emoji): Said) -> ReceivedItem {
    let (sender, other) = if own { (me(), alice()) } else { (alice(), me()) };
    let author = if target % 2 == 0 { sender } else { other };
    let kind = match what {
        0..=2 => IncomingKind::Message {
            text: format!("message {index}"),
            attachments: Vec::new(),
            quote: (target > 6).then_some(QuoteKey { author, timestamp: at(target - 100) }),
            preview: None,
            expiry: Expiry::Off,
        },
        3 | 4 => reaction(author, target - 100, ["👍", "🎉", "😢"][emoji], what == 4),
        5 => unsend(sender, target - 100),
        6 if own => notice(Notice::ExpiryChanged { expiry: Expiry::AfterSend(60) }),
        6 => IncomingKind::ReadReceipt { timestamps: vec![at(target - 100)] },
        // Several of one moment, each with a number, and the wish to delete one of them or all.
        7 => return numbered(index, sender, emoji, text(&format!("number {index}"))),
        8 => {
            let target = QuoteKey { author: sender, timestamp: moment(emoji) };
            IncomingKind::Unsend { target, msg_id: (target_is_one(index)).then_some(index - 3) }
        }
        // One of a few calls, taken by another device or not.
        9 if own => IncomingKind::CallSettled(CallKey([emoji as u8; 32])),
        9 => IncomingKind::Call { call: CallKey([emoji as u8; 32]), expiry: Expiry::Off },
        10 => return unknown(index, sender),
        // Written long before it was stored.
        _ => {
            let item = incoming(sender, alice(), at(index - 900_000), text(&format!("late {index}")));
            return ReceivedItem { hash: hash(index), stored_at: at(index - 95), ..item };
        }
    };
    ReceivedItem { hash: hash(index), ..incoming(sender, alice(), at(index - 100), kind) }
}

/// One of a few moments in which several things are said.
fn moment(number: usize) -> Timestamp {
    at(-200 - i64::try_from(number).unwrap())
}

fn target_is_one(index: i64) -> bool {
    index % 3 > 0
}

fn numbered(index: i64, sender: SessionId, number: usize, kind: IncomingKind) -> ReceivedItem {
    let mut item = incoming(sender, alice(), moment(number), kind);
    said(&mut item).msg_id = Some(index);
    ReceivedItem { hash: hash(index), ..item }
}

/// A message that this version cannot read.
fn unknown(index: i64, sender: SessionId) -> ReceivedItem {
    let unknown = UnknownType {
        sender,
        is_own: sender == me(),
        sync_target: (sender == me()).then_some(alice()),
        timestamp: at(index - 100),
        msg_id: None,
        expiration: Expiration::Off,
    };
    let meaning = Meaning::Unreadable(Unreadable { unknown: Some(unknown), raw: vec![0; 9] });
    ReceivedItem { hash: hash(index), stored_at: at(index - 100), expiration: at(1_209_600_000), meaning }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// However a conversation is cut into batches, in whatever order they come, and however often: the same is seen.
    #[test]
    fn any_order_of_arrival_gives_the_same_conversation(
        said in proptest::collection::vec((0..12_u8, any::<bool>(), 0..12_i64, 0..3_usize), 1..40),
        order in proptest::collection::vec(any::<(u16, u8, bool)>(), 40),
    ) {
        let items = everything(&said);
        let mut straight = db();
        befriend(&mut straight, alice());
        take(&mut straight, items.clone());

        let mut shuffled: Vec<_> = items.into_iter().zip(order).collect();
        shuffled.sort_by_key(|(_, (rank, _, _))| *rank);
        let mut mixed = db();
        befriend(&mut mixed, alice());
        let mut again = Vec::new();
        let mut batch = Vec::new();
        for (item, (_, cut, twice)) in shuffled {
            if twice {
                again.push(item.clone());
            }
            batch.push(item);
            if cut % 3 == 0 {
                take(&mut mixed, std::mem::take(&mut batch));
            }
        }
        take(&mut mixed, batch);
        take(&mut mixed, again);

        // Several of one moment stand in the order in which they came.
        let see = |db: &Db| {
            let mut page = page(db, alice());
            page.sort_by(|a, b| (a.sorted_at, a.timestamp, a.from, &a.text).cmp(&(b.sorted_at, b.timestamp, b.from, &b.text)));
            page.into_iter().map(visible).collect::<Vec<_>>()
        };
        prop_assert_eq!(see(&straight), see(&mixed));
        let (a, b) = (conversation(&straight, alice()), conversation(&mixed, alice()));
        prop_assert_eq!((a.unread, a.mentions, a.active_at), (b.unread, b.mentions, b.active_at));
        let unread = page(&mixed, alice()).iter().filter(|it| !it.outgoing && !it.read).count();
        prop_assert_eq!(b.unread, u32::try_from(unread).unwrap());
        let kept = |db: &Db| -> i64 {
            db.sql().query_row("SELECT count(*) FROM deferred", [], |row| row.get(0)).unwrap()
        };
        prop_assert_eq!(kept(&straight), kept(&mixed));
    }
}
