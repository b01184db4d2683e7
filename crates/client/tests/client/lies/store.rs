//! A member claims to have kept, or deleted, what it has not, or refuses what is good.

use septet_devnet::{Fault, Lie, StoreLie};

use super::member_lies;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_sent_without_two_proofs() {
    let lies = [
        StoreLie::Unsigned,
        StoreLie::OtherHash,
        StoreLie::Replayed,
        StoreLie::Stranger,
        StoreLie::BadSignature,
        StoreLie::Unkept,
        StoreLie::OnlyItself,
    ];
    member_lies(lies.map(|lie| (lie, "lie:store"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_is_only_claimed() {
    member_lies([(Lie::Delete, "lie:delete")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_member_refuses_another_takes() {
    // Refusals are not counted; the requests that came are.
    let refuses = |status, text: &str| (Fault::Answers(status, text.to_owned()), "onion");
    member_lies([
        refuses(400, "invalid request"),
        refuses(401, "store signature verification failed"),
        refuses(413, "message too large"),
        (Fault::QueryFailure, "store"),
    ])
    .await;
}
