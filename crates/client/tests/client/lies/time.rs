//! Lies about the time.

use septet_devnet::{Fault, Lie};

use septet_client::model::{ConversationId, Expiry};

use super::Town;

const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_tells_a_time_eight_hours_ahead() {
    Town::new().await.withstands(Lie::Time(8 * HOUR), "lie:time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_tells_a_time_a_year_ago() {
    Town::new().await.withstands(Lie::Time(-365 * 24 * HOUR), "lie:time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_finds_every_time_wrong() {
    Town::new()
        .await
        .withstands(Fault::Answers(406, "Timestamp error: check your clock".to_owned()), "onion")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_an_hour_do_not_vanish_for_one_clock_eight_hours_ahead() {
    let town = Town::new().await;
    let (with_bob, with_alice) = (ConversationId(town.bob.id()), ConversationId(town.alice.id()));
    town.alice.client.set_expiry(with_bob, Expiry::AfterSend(3600)).await.unwrap();
    town.bob.client.set_expiry(with_alice, Expiry::AfterSend(3600)).await.unwrap();
    town.withstands(Lie::Time(8 * HOUR), "lie:time").await;
}
