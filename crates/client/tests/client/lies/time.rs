//! Lies about the time.

use septet_devnet::{Fault, Lie};

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
