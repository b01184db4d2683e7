//! How a profile is opened, and what is read from stdin and files.

use std::io::{BufRead, Read};
use std::path::Path;

use septet_client::client::{KeyProtection, OpenOptions};
use zeroize::Zeroizing;

use super::Failure;
use super::common::Common;

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
