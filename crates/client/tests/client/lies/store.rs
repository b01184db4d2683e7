//! A member claims to have kept, or deleted, what it has not.

use septet_devnet::{Fault, Lie, StoreLie};

use super::Town;

async fn a_member_lies(lie: StoreLie) {
    Town::new().await.withstands(lie, "lie:store").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed() {
    a_member_lies(StoreLie::Unsigned).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hash_is_signed() {
    a_member_lies(StoreLie::OtherHash).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_reply_is_given_again() {
    a_member_lies(StoreLie::Replayed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs() {
    a_member_lies(StoreLie::Stranger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_is_bad() {
    a_member_lies(StoreLie::BadSignature).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_signed_and_not_kept() {
    a_member_lies(StoreLie::Unkept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_kept_by_one_alone() {
    a_member_lies(StoreLie::OnlyItself).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_is_only_claimed() {
    Town::new().await.withstands(Lie::Delete, "lie:delete").await;
}

/// A member refuses good requests for what they were. Refusals are not counted; the requests that came are.
async fn a_member_refuses(status: u16, text: &str) {
    Town::new().await.withstands(Fault::Answers(status, text.to_owned()), "onion").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_request_is_called_bad() {
    a_member_refuses(400, "invalid request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_signature_is_called_bad() {
    a_member_refuses(401, "store signature verification failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_message_is_called_too_large() {
    a_member_refuses(413, "message too large").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_cannot_be_read() {
    Town::new().await.withstands(Fault::QueryFailure, "store").await;
}
