//! Lies about what a member keeps.

use septet_devnet::RetrieveLie;

use super::member_lies;

const DAY: i64 = 86_400_000;

async fn members_lie(lies: impl IntoIterator<Item = RetrieveLie>) {
    member_lies(lies.into_iter().map(|lie| (lie, "lie:retrieve"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_its_hash_is_dropped() {
    members_lie([
        RetrieveLie::SwapHashes,
        RetrieveLie::OtherData,
        RetrieveLie::InventHashes,
        RetrieveLie::AddForeign,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_is_found() {
    members_lie([RetrieveLie::HideAll, RetrieveLie::HideEvery(2)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_or_is_forged_changes_nothing() {
    members_lie([
        RetrieveLie::ReplayUnderNewHashes,
        RetrieveLie::ReplayUnderOwnHashes,
        RetrieveLie::AddForged,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_shape_come_to_an_end() {
    members_lie([
        RetrieveLie::Reverse,
        RetrieveLie::MoreForEver,
        RetrieveLie::SamePageForEver,
        RetrieveLie::AddHuge(12_000_000),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn false_times_date_nothing() {
    members_lie([
        RetrieveLie::ShiftTimes { timestamp: -30 * DAY, expiration: -365 * DAY },
        RetrieveLie::ShiftTimes { timestamp: 365 * DAY, expiration: 365 * DAY },
        RetrieveLie::ShiftTimes { timestamp: i64::MAX, expiration: i64::MAX },
    ])
    .await;
}
