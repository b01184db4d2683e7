//! Lies about the time.

use septet_client::model::{ConversationId, Expiry};
use septet_devnet::{Fault, Lie};

use super::{Town, member_lies};

const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn one_clock_moves_nothing() {
    let clocks = [8 * HOUR, -365 * 24 * HOUR, i64::MAX];
    member_lies(clocks.map(|ahead| (Lie::Time(ahead), "lie:time"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_finds_every_time_wrong() {
    member_lies([(Fault::Answers(406, "Timestamp error: check your clock".to_owned()), "onion")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_an_hour_do_not_vanish_for_one_clock_eight_hours_ahead() {
    let town = Town::new().await;
    let (with_bob, with_alice) = (ConversationId(town.bob.id()), ConversationId(town.alice.id()));
    town.alice.client.set_expiry(with_bob, Expiry::AfterSend(3600)).await.unwrap();
    town.bob.client.set_expiry(with_alice, Expiry::AfterSend(3600)).await.unwrap();
    town.withstands(Lie::Time(8 * HOUR), "lie:time").await;
}
