//! Commands about one conversation: accept, decline, block, unblock, mark read.

use septet_client::model::Page;

use super::args::Common;
use super::output::Output;
use super::{Failure, session};

/// `accept`: the other may write, and is told.
pub async fn accept(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.accept(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `decline`: the request is gone; the other is not told.
pub async fn decline(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.decline(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `block`: nothing of theirs arrives any more. Works for strangers, too.
pub async fn block(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::conversation(&client, to).await?;
    client.block(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `unblock`; no effect on somebody who is not blocked.
pub async fn unblock(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::conversation(&client, to).await?;
    client.unblock(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `mark-read`: everything up to the newest message.
pub async fn mark_read(conversation: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, conversation).await?;
    if let Some(newest) = client.messages(conversation, Page::Newest, 1).await?.messages.last() {
        client.mark_read(conversation, newest.id).await?;
    }
    output.done();
    session::flush_and_close(client).await
}
