//! A member claims to have kept, or deleted, what it has not, or refuses what is good.

use septet_devnet::{Fault, Lie, StoreLie};

use super::member_lies;

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_refusals_of_one_member_count_for_nothing() {
    let stores = [
        StoreLie::Unsigned,
        StoreLie::OtherHash,
        StoreLie::Replayed,
        StoreLie::Stranger,
        StoreLie::BadSignature,
        StoreLie::Unkept,
        StoreLie::OnlyItself,
    ];
    // Refusals are not counted; the requests that came are.
    let refuses = |status, text: &str| (Fault::Answers(status, text.to_owned()), "onion");
    let others = [
        refuses(400, "invalid request"),
        refuses(401, "store signature verification failed"),
        refuses(413, "message too large"),
        (Fault::QueryFailure, "store"),
        (Lie::Delete.into(), "lie:delete"),
    ];
    member_lies(stores.map(|lie| (lie.into(), "lie:store")).into_iter().chain(others)).await;
}
