//! Lies about the time.

use septet_client::model::Expiry;
use septet_devnet::{Fault, Lie};

use super::{Town, member_lies};
use crate::world::With;

const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn one_clock_moves_nothing() {
    let clocks = [8 * HOUR, -365 * 24 * HOUR, i64::MAX].map(|ahead| (Lie::Time(ahead).into(), "lie:time"));
    let refuses = (Fault::Answers(406, "Timestamp error: check your clock".to_owned()), "onion");
    member_lies(clocks.into_iter().chain([refuses])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_an_hour_do_not_vanish_for_one_clock_eight_hours_ahead() {
    let town = Town::new().await;
    let (with_bob, with_alice) = (town.bob.id(), town.alice.id());
    town.alice
        .client
        .set_expiry(town.alice.client.with(with_bob).await, Expiry::AfterSend(3600))
        .await
        .unwrap();
    town.bob
        .client
        .set_expiry(town.bob.client.with(with_alice).await, Expiry::AfterSend(3600))
        .await
        .unwrap();
    town.withstands(Lie::Time(8 * HOUR), "lie:time").await;
}
