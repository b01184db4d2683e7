//! What names a conversation on the command line: `self`, an Account ID, or a registered name (ONS).
//!
//! Decision: every argument that means a conversation is read here, and every conversation that is printed is printed
//! here, so that what one command prints the next one takes. Names are looked up on the network, which is waited for
//! with the command's time limit.
//!
//! Decision: looking up a name starts nothing else. What is fetched is told once, so it must not be fetched before the
//! command that is to tell it listens; and a command that only shows what is here fetches nothing, however its
//! conversation is named.

use std::time::Duration;

use septet_client::client::{Client, ClientError};
use septet_client::model::{Conversation, ConversationId, ConversationKind};
use septet_protocol::id::{IdError, SessionId};

use super::Failure;

/// Whose account a text names. Asks the network only for a registered name, and for nothing but that.
async fn account(client: &Client, text: &str, limit: Duration) -> Result<SessionId, Failure> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("self") {
        return Ok(client.id());
    }
    if looks_like_id(text) {
        return text.parse().map_err(|error| wrong_id(&error));
    }
    match tokio::time::timeout(limit, client.resolve_name(text)).await {
        Ok(resolved) => Ok(resolved?),
        Err(_) => Err(Failure::offline("The network could not be asked in time whose name this is.")),
    }
}

/// The conversation that a text names, made if there is none yet; nobody sees it before there is something in it.
pub async fn any(client: &Client, text: &str, limit: Duration) -> Result<ConversationId, Failure> {
    let account = account(client, text, limit).await?;
    Ok(client.make_conversation(&account.into()).await?)
}

/// The conversation that a text names, for commands about what is here. Note to Self always is.
pub async fn known(client: &Client, text: &str, limit: Duration) -> Result<ConversationId, Failure> {
    let account = account(client, text, limit).await?;
    if account == client.id() {
        return Ok(client.make_conversation(&account.into()).await?);
    }
    find(client, account).await.map(|conversation| conversation.id)
}

/// The conversation with another account that a text names, as it stands.
pub async fn with_somebody(client: &Client, text: &str, limit: Duration) -> Result<Conversation, Failure> {
    let account = account(client, text, limit).await?;
    if account == client.id() {
        return Err(Failure::failed("refused", "This cannot be done with Note to Self."));
    }
    find(client, account).await
}

/// The conversation with an account, if there is anything to it.
async fn find(client: &Client, account: SessionId) -> Result<Conversation, Failure> {
    let unknown =
        || Failure::failed("unknown_conversation", format!("There is no conversation with {account}."));
    let id = client.find_conversation(&account.into()).await?.ok_or_else(unknown)?;
    client.conversation(id).await?.filter(is_something).ok_or_else(unknown)
}

/// Whether there is anything to a conversation: one that was only made, or whose contact was deleted, is none to people.
pub fn is_something(conversation: &Conversation) -> bool {
    conversation.is_listed()
        || conversation.approved
        || conversation.approved_me
        || conversation.blocked
        || conversation.nickname.is_some()
        || conversation.draft.is_some()
        || conversation.last_message.is_some()
}

/// How a conversation is printed.
pub async fn of(client: &Client, id: ConversationId) -> Result<String, Failure> {
    let address = client.address_of(id).await?.ok_or(ClientError::NotFound("conversation"))?;
    Ok(address.to_string())
}

/// How a conversation that is at hand is printed.
pub fn of_conversation(conversation: &Conversation) -> String {
    conversation.address.to_string()
}

/// What a conversation is called.
pub async fn title(client: &Client, id: ConversationId) -> Result<String, Failure> {
    Ok(client.conversation(id).await?.map(|conversation| title_of(&conversation)).unwrap_or_default())
}

/// What a conversation that is at hand is called.
pub fn title_of(conversation: &Conversation) -> String {
    match conversation.kind {
        ConversationKind::NoteToSelf => "Note to Self".into(),
        _ => conversation.title(),
    }
}

/// What an account is called, if it has a name.
pub async fn name(client: &Client, account: SessionId) -> Result<Option<String>, Failure> {
    let conversation = match client.find_conversation(&account.into()).await? {
        Some(id) => client.conversation(id).await?,
        None => None,
    };
    let names = conversation.into_iter().flat_map(|it| it.nickname.into_iter().chain([it.name]));
    Ok(names.into_iter().find(|name| !name.is_empty()))
}

/// Names are at most 64 characters; anything hexadecimal and long was meant as an id.
fn looks_like_id(text: &str) -> bool {
    text.len() > 64 || (text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn wrong_id(error: &IdError) -> Failure {
    let message = match error {
        IdError::Length { found, .. } => {
            format!("An Account ID has 66 characters; this one has {found}.")
        }
        IdError::Character => "An Account ID has only the digits 0-9 and the letters a-f.".to_string(),
        IdError::Prefix(0x03) => "This is the id of a group; groups cannot be written to yet.".to_string(),
        IdError::Prefix(0x15 | 0x25) => {
            "This is an id from inside a community; one can write to it only there.".to_string()
        }
        IdError::Prefix(_) => "An Account ID begins with 05.".to_string(),
    };
    Failure::failed("invalid_id", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_told_apart() {
        assert!(looks_like_id(&"a".repeat(66)));
        assert!(looks_like_id(&"z".repeat(66)));
        assert!(looks_like_id("05aabbccddeeff00"));
        assert!(!looks_like_id("alice"));
        assert!(!looks_like_id("the-name-of-somebody-who-likes-names-that-are-long"));
    }

    #[test]
    fn every_wrong_id_has_its_sentence() {
        for (text, word) in [
            ("05ab".to_string(), "66"),
            (format!("05{}", "g".repeat(64)), "digits"),
            (format!("15{}", "a".repeat(64)), "community"),
            (format!("03{}", "a".repeat(64)), "group"),
            (format!("99{}", "a".repeat(64)), "begins with 05"),
        ] {
            let error = text.parse::<SessionId>().unwrap_err();
            assert!(wrong_id(&error).message().contains(word), "{text}");
        }
    }
}
