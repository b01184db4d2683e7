//! Opening the profile a command works on, and ending its work on it.

use std::io::{BufRead, Read};
use std::path::Path;
use std::time::Duration;

use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::event::Event;
use tokio::sync::broadcast::Receiver;
use zeroize::Zeroizing;

use super::Failure;
use super::args::Common;

/// Opens the account of the profile. Nothing is sent or fetched before `start` or `sync_once`.
pub async fn open(common: &Common) -> Result<Client, Failure> {
    let options = options(common)?;
    Ok(Client::open(&common.profile()?, options).await?)
}

/// How this invocation wants a profile to be opened.
pub fn options(common: &Common) -> Result<OpenOptions, Failure> {
    let key_protection = if common.key_file { KeyProtection::KeyFile } else { KeyProtection::Auto };
    Ok(OpenOptions { network: common.network()?, key_protection })
}

/// Takes the password that unlocks a protected profile. There are none yet, so a password is a mistake worth telling.
pub fn unlock(common: &Common) -> Result<(), Failure> {
    let Some(file) = &common.password_file else { return Ok(()) };
    // Read all the same: what follows the password on stdin is the command's own.
    password(file)?;
    Err(Failure::usage(
        "This profile is not protected by a password, and cannot be yet: leave --password-file out.",
    ))
}

/// Ends a command that leaves nothing to send: everything on disk, every task over.
pub async fn close(client: Client) {
    client.stop().await;
}

/// Ends a command that changed something: waits until the network has what is to be sent, then closes.
///
/// # Errors
/// Offline if the network has not taken all of it within `limit`; it is kept and goes out later. Failed if the network
/// refused something for good.
pub async fn deliver(client: Client, limit: Duration) -> Result<(), Failure> {
    let mut events = client.subscribe();
    client.start();
    let delivered = client.flush(limit).await;
    let refused = problem(&mut events);
    close(client).await;
    match (delivered?, refused) {
        (_, Some(reason)) => Err(Failure::failed("not_delivered", reason)),
        (true, None) => Ok(()),
        (false, None) => Err(Failure::offline(format!(
            "Done here, but the network has not taken it within {} seconds. It is kept, and goes out when Septet runs \
             and the network is back.",
            limit.as_secs_f64()
        ))),
    }
}

/// What went wrong for good, of all that was told.
fn problem(events: &mut Receiver<Event>) -> Option<String> {
    use tokio::sync::broadcast::error::TryRecvError;
    loop {
        match events.try_recv() {
            Ok(Event::Problem(reason)) => return Some(reason),
            Ok(_) | Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
        }
    }
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

/// Reads a UTF-8 text from a file, or what is left of stdin if the path is `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let (name, result) = if path == Path::new("-") {
        let mut text = String::new();
        ("stdin".to_string(), std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (path.display().to_string(), std::fs::read_to_string(path))
    };
    result.map_err(|error| unreadable(&name, &error))
}

/// The password in a file's first line, or in one line of stdin if the path is `-`.
fn password(path: &Path) -> Result<Zeroizing<String>, Failure> {
    if path == Path::new("-") {
        return first_line(std::io::stdin().lock()).map_err(|error| unreadable("stdin", &error));
    }
    let file = std::fs::File::open(path);
    file.and_then(|file| first_line(std::io::BufReader::new(file)))
        .map_err(|error| unreadable(&path.display().to_string(), &error))
}

/// One line without its end; what follows stays to be read.
fn first_line(mut from: impl BufRead) -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    from.read_line(&mut line)?;
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Ok(line)
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::failed("unreadable", format!("Could not read {name}: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_and_the_rest_stays() {
        let mut input = "correct horse \r\nfirst word\nsecond".as_bytes();
        assert_eq!(*first_line(&mut input).unwrap(), "correct horse ");
        let mut rest = String::new();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "first word\nsecond");
        assert_eq!(*first_line("no end".as_bytes()).unwrap(), "no end");
        assert_eq!(*first_line("".as_bytes()).unwrap(), "");
    }
}
