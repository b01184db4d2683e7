//! Opening the profile a command works on, and reading what names a conversation.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::ConversationId;
use septet_protocol::id::SessionId;

use super::Failure;
use super::args::Common;

/// How long a command that changes something waits for the network to have it; then the next start goes on.
pub const FLUSH: Duration = Duration::from_secs(20);

/// Opens the account of the profile. Nothing is sent or fetched before `start` or `sync_once`.
pub async fn open(common: &Common) -> Result<Client, Failure> {
    let options = options(common)?;
    Ok(Client::open(&common.profile()?, options).await?)
}

/// How this invocation wants a profile to be opened.
pub fn options(common: &Common) -> Result<OpenOptions, Failure> {
    if let Some(file) = &common.password_file {
        // No profile has a password yet, but a wrong file should be noticed where it is named.
        read_text(file)?;
    }
    let key_protection = if common.key_file { KeyProtection::KeyFile } else { KeyProtection::Auto };
    Ok(OpenOptions { network: common.network()?, key_protection })
}

/// Ends a command: everything on disk, every task over.
pub async fn close(client: Client) -> Result<(), Failure> {
    client.stop().await;
    Ok(())
}

/// Sends what a change left to send, then closes. A network that is away is no failure: it goes out later.
pub async fn flush_and_close(client: Client) -> Result<(), Failure> {
    client.start();
    if !client.flush(FLUSH).await? {
        eprintln!("septet: The network could not be reached; this goes out when Septet runs next time.");
    }
    close(client).await
}

/// Reads `self`, an account id or (over the network) an ONS name. If there is no such conversation yet, it is made;
/// nobody sees it before there is something in it.
pub async fn conversation(client: &Client, text: &str) -> Result<ConversationId, Failure> {
    let text = text.trim();
    let id: SessionId = if text.eq_ignore_ascii_case("self") {
        client.id()
    } else if looks_like_id(text) {
        text.parse().map_err(|error| wrong_id(&error))?
    } else {
        client.start();
        client.resolve_name(text).await?
    };
    Ok(client.make_conversation(&id.into()).await?)
}

/// Reads `self` or an account id, for commands about conversations that are here.
pub async fn known_conversation(client: &Client, text: &str) -> Result<ConversationId, Failure> {
    let text = text.trim();
    let id: SessionId = match text.eq_ignore_ascii_case("self") {
        true => client.id(),
        false => text.parse().map_err(|error| wrong_id(&error))?,
    };
    if id == client.id() {
        return Ok(client.make_conversation(&id.into()).await?);
    }
    client.find_conversation(&id.into()).await?.ok_or_else(|| {
        Failure::failed("unknown_conversation", format!("There is no conversation with {id}."))
    })
}

/// Names are at most 64 characters; anything hexadecimal and long was meant as an id.
fn looks_like_id(text: &str) -> bool {
    text.len() >= 40 || (text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn wrong_id(error: &septet_protocol::id::IdError) -> Failure {
    use septet_protocol::id::IdError;
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

/// Ends when the person or the system asks the program to end.
pub async fn interrupted() -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed("signal", format!("Could not wait for Ctrl+C: {error}."));
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}

/// Reads a UTF-8 text from a file, or from stdin if the path is `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let (name, result) = if path == Path::new("-") {
        let mut text = String::new();
        ("stdin".to_string(), std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (path.display().to_string(), std::fs::read_to_string(path))
    };
    result.map_err(|error| Failure::failed("unreadable", format!("Could not read {name}: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_told_apart() {
        assert!(looks_like_id(&"a".repeat(66)));
        assert!(looks_like_id("05aabbccddeeff00"));
        assert!(!looks_like_id("alice"));
        assert!(!looks_like_id("the-name-of-somebody"));
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
