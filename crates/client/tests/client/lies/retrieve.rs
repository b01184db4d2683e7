//! Lies about what a member keeps.

use septet_devnet::RetrieveLie;

use super::Town;

async fn a_member_lies(lie: RetrieveLie) {
    Town::new().await.withstands(lie, "lie:retrieve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_are_swapped() {
    a_member_lies(RetrieveLie::SwapHashes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_data_stands_under_true_hashes() {
    a_member_lies(RetrieveLie::OtherData).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_are_invented() {
    a_member_lies(RetrieveLie::InventHashes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_hidden() {
    a_member_lies(RetrieveLie::HideAll).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_second_message_is_hidden() {
    a_member_lies(RetrieveLie::HideEvery(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_messages_and_configs_come_again_under_new_hashes() {
    a_member_lies(RetrieveLie::ReplayUnderNewHashes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_messages_and_configs_come_again_under_their_own_hashes() {
    a_member_lies(RetrieveLie::ReplayUnderOwnHashes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_messages_come_with_each_page() {
    a_member_lies(RetrieveLie::AddForged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_turned_round() {
    a_member_lies(RetrieveLie::Reverse).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_always_more() {
    a_member_lies(RetrieveLie::MoreForEver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_page_comes_for_ever() {
    a_member_lies(RetrieveLie::SamePageForEver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_seems_to_be_over() {
    a_member_lies(RetrieveLie::ShiftTimes { timestamp: -86_400_000 * 30, expiration: -86_400_000 * 365 })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_seems_to_come_from_the_future() {
    a_member_lies(RetrieveLie::ShiftTimes { timestamp: 86_400_000 * 365, expiration: 86_400_000 * 365 })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_somebody_else_come_with_each_page() {
    a_member_lies(RetrieveLie::AddForeign).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_larger_than_any_can_be() {
    a_member_lies(RetrieveLie::AddHuge(12_000_000)).await;
}
