//! Lies about what a member keeps.

use septet_devnet::RetrieveLie;

use super::member_lies;

const DAY: i64 = 86_400_000;

async fn members_lie(lies: impl IntoIterator<Item = RetrieveLie>) {
    member_lies(lies.into_iter().map(|lie| (lie, "lie:retrieve"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_comes_again_changes_nothing() {
    members_lie([
        RetrieveLie::SwapHashes,
        RetrieveLie::OtherData,
        RetrieveLie::InventHashes,
        RetrieveLie::AddForeign,
        RetrieveLie::AddForged,
        RetrieveLie::ReplayUnderNewHashes,
        RetrieveLie::ReplayUnderOwnHashes,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_endless_or_misdated_costs_time_only() {
    members_lie([
        RetrieveLie::HideAll,
        RetrieveLie::HideEvery(2),
        RetrieveLie::Reverse,
        RetrieveLie::MoreForEver,
        RetrieveLie::SamePageForEver,
        RetrieveLie::AddHuge(12_000_000),
        RetrieveLie::ShiftTimes { timestamp: -30 * DAY, expiration: -365 * DAY },
        RetrieveLie::ShiftTimes { timestamp: 365 * DAY, expiration: 365 * DAY },
        RetrieveLie::ShiftTimes { timestamp: i64::MAX, expiration: i64::MAX },
    ])
    .await;
}
