//! What protects a profile: the data key, and the file that holds it wrapped.
//!
//! Decision: one random 32-byte *data key* for each profile; the keys of the database and of the stored files are
//! derived from it. It never changes. The file `key` holds it *wrapped* (XChaCha20-Poly1305) with a *wrapping key*,
//! and says where that one comes from: the system's keychain, or this file itself. Another protection, such as a
//! password through Argon2id, is one more kind of wrapping key: setting it rewrites this small file and not the
//! database.
//!
//! A keychain that is missing, locked or slow is the normal case on servers, so it is asked in a thread of its own
//! with a time limit; if it does not answer when a profile is made, the wrapping key goes into the file, readable by
//! the owner only. Such a file protects against other users, not against one who reads the owner's files; so does
//! the official desktop client's.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use septet_protocol::crypto::{Random, SystemRandom, blake2b, xchacha_decrypt, xchacha_encrypt};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::error::StoreError;
use crate::disk;

/// The format of the key file.
const VERSION: i64 = 1;
/// How our entries in keychains are called.
const SERVICE: &str = "Septet";
/// How long a keychain may take to store a new key.
const STORE_LIMIT: Duration = Duration::from_secs(5);
/// How long it may take to give one out: it may be asking for a password.
const LOAD_LIMIT: Duration = Duration::from_secs(120);

/// Where a new profile's wrapping key is to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyProtection {
    /// In the system's keychain if there is one, else in the key file.
    #[default]
    Auto,
    /// In the key file: on servers, and where no keychain is wanted.
    KeyFile,
}

/// A profile's data key, and the salt that its database begins with.
pub(crate) struct ProfileKey {
    data: Zeroizing<[u8; 32]>,
    salt: [u8; 16],
}

impl ProfileKey {
    /// The key of the database, 32 bytes.
    pub(crate) fn database(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake2b(&self.data[..], &[b"septet database"]))
    }

    /// The salt the database file begins with, 16 bytes.
    pub(crate) fn salt(&self) -> [u8; 16] {
        self.salt
    }

    /// The key that stored files' keys are derived from, 32 bytes.
    pub(crate) fn files(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake2b(&self.data[..], &[b"septet files"]))
    }

    /// The key that the network part's files are encrypted with, 32 bytes.
    pub(crate) fn network(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake2b(&self.data[..], &[b"septet network"]))
    }

    /// Makes a new key and writes its file.
    pub(crate) fn create(path: &Path, protection: KeyProtection) -> Result<Self, StoreError> {
        let mut random = SystemRandom;
        let key = Self { data: Zeroizing::new(random.array()), salt: random.array() };
        let wrapping = Zeroizing::new(random.array::<32>());
        let kept = match protection {
            KeyProtection::Auto => keep_in_keychain(&wrapping),
            KeyProtection::KeyFile => None,
        };
        let nonce = random.array();
        let mut file = KeyFile {
            septet_key: VERSION,
            salt: HEXLOWER.encode(&key.salt),
            nonce: HEXLOWER.encode(&nonce),
            wrapped: HEXLOWER.encode(&xchacha_encrypt(&wrapping, &nonce, &key.data[..])),
            protection: kept
                .unwrap_or_else(|| Protection::File { wrapping_key: HEXLOWER.encode(&wrapping[..]) }),
        };
        let written = file.write(path);
        file.wipe();
        written.map(|()| key)
    }

    /// Reads a key file and unwraps the key.
    pub(crate) fn load(path: &Path) -> Result<Self, StoreError> {
        let text = match std::fs::read(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(StoreError::KeyMissing),
            Err(error) => return Err(error.into()),
        };
        let version: Version = serde_json::from_slice(&text).map_err(|_| StoreError::KeyDamaged)?;
        if version.septet_key > VERSION {
            return Err(StoreError::NewerVersion { found: version.septet_key, known: VERSION });
        }
        let mut file: KeyFile = serde_json::from_slice(&text).map_err(|_| StoreError::KeyDamaged)?;
        let key = file.unwrap_key();
        file.wipe();
        key
    }
}

/// The part of the key file that every version has.
#[derive(Deserialize)]
struct Version {
    septet_key: i64,
}

/// The key file. Bytes are written as hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    septet_key: i64,
    /// What the database file begins with, 16 bytes.
    salt: String,
    /// Of the wrapping, 24 bytes.
    nonce: String,
    /// The data key and a tag, 48 bytes.
    wrapped: String,
    protection: Protection,
}

/// Where the wrapping key is.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Protection {
    /// Here.
    File { wrapping_key: String },
    /// In the system's keychain, under this name.
    Keychain { service: String, user: String },
}

impl KeyFile {
    fn write(&self, path: &Path) -> Result<(), StoreError> {
        let text = Zeroizing::new(serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?);
        let temporary = path.with_extension("new");
        // Left behind by a crash while it was written: never used.
        let _ = std::fs::remove_file(&temporary);
        disk::write_whole(path, &temporary, |file| std::io::Write::write_all(file, &text))?;
        Ok(())
    }

    fn unwrap_key(&self) -> Result<ProfileKey, StoreError> {
        let wrapping = match &self.protection {
            Protection::File { wrapping_key } => Zeroizing::new(bytes(wrapping_key)?),
            Protection::Keychain { service, user } => load_from_keychain(service, user)?,
        };
        let nonce = bytes(&self.nonce)?;
        let wrapped: [u8; 48] = bytes(&self.wrapped)?;
        let data = xchacha_decrypt(&wrapping, &nonce, &wrapped).map(Zeroizing::new);
        let data = data.map_err(|_| StoreError::WrongKey)?;
        let data = data.as_slice().try_into().map_err(|_| StoreError::KeyDamaged)?;
        Ok(ProfileKey { data: Zeroizing::new(data), salt: bytes(&self.salt)? })
    }

    fn wipe(&mut self) {
        if let Protection::File { wrapping_key } = &mut self.protection {
            wrapping_key.zeroize();
        }
    }
}

/// Reads a fixed number of bytes from hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Result<[u8; N], StoreError> {
    let mut out = [0; N];
    if text.len() != 2 * N {
        return Err(StoreError::KeyDamaged);
    }
    HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut out).map_err(|_| StoreError::KeyDamaged)?;
    Ok(out)
}

/// Puts a wrapping key into the system's keychain and reads it back. `None` if that does not work in time; why it
/// did not is of no use to anybody, as the key file takes its place.
fn keep_in_keychain(key: &[u8; 32]) -> Option<Protection> {
    if !keychain_likely() {
        return None;
    }
    let user = HEXLOWER.encode(&SystemRandom.array::<16>());
    let (secret, name) = (Zeroizing::new(*key), user.clone());
    let kept = within(STORE_LIMIT, move || {
        let entry = keyring::Entry::new(SERVICE, &name)?;
        entry.set_secret(&secret[..])?;
        entry.get_secret().map(|read| Zeroizing::new(read)[..] == secret[..])
    });
    match kept {
        Some(Ok(true)) => Some(Protection::Keychain { service: SERVICE.to_owned(), user }),
        _ => {
            tracing::info!(
                "the system's keychain is not available; the profile's key is kept in its key file"
            );
            None
        }
    }
}

/// Asks the system's keychain for a wrapping key.
fn load_from_keychain(service: &str, user: &str) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    if !keychain_likely() {
        return Err(StoreError::Keychain("there is no keychain in this session".to_owned()));
    }
    let (service, user) = (service.to_owned(), user.to_owned());
    let read =
        within(LOAD_LIMIT, move || keyring::Entry::new(&service, &user)?.get_secret().map(Zeroizing::new));
    let secret = match read {
        Some(Ok(secret)) => secret,
        Some(Err(error)) => return Err(StoreError::Keychain(error.to_string())),
        None => return Err(StoreError::Keychain("it did not answer in time".to_owned())),
    };
    let key = secret.as_slice().try_into().map_err(|_| StoreError::WrongKey)?;
    Ok(Zeroizing::new(key))
}

/// Whether asking can help at all: without a message bus there is no keychain, and asking would only take time.
fn keychain_likely() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
}

/// Runs something that may block for ever. `None` if it is not done in time; then its thread is left to itself.
fn within<T: Send + 'static>(limit: Duration, f: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::Builder::new().name("keychain".to_owned());
    thread.spawn(move || drop(send.send(f()))).ok()?;
    receive.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_key_is_read_back_and_its_file_is_the_owners() {
        let folder = folder();
        let path = folder.path().join("key");
        let made = ProfileKey::create(&path, KeyProtection::KeyFile).unwrap();
        let read = ProfileKey::load(&path).unwrap();
        assert_eq!(made.database(), read.database());
        assert_eq!(made.files(), read.files());
        assert_eq!(made.salt(), read.salt());
        assert_ne!(made.database(), made.files());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains(&HEXLOWER.encode(&made.data[..])),
            "the data key must not be in the file as it is"
        );
    }

    #[test]
    fn every_kind_of_bad_key_file_is_told_apart() {
        let folder = folder();
        let path = folder.path().join("key");
        let load = || ProfileKey::load(&path).err().unwrap();
        assert!(matches!(load(), StoreError::KeyMissing));
        ProfileKey::create(&path, KeyProtection::KeyFile).unwrap();
        let good = std::fs::read_to_string(&path).unwrap();

        std::fs::write(&path, "not json").unwrap();
        assert!(matches!(load(), StoreError::KeyDamaged));
        std::fs::write(&path, good.replace("\"septet_key\": 1", "\"septet_key\": 2")).unwrap();
        assert!(matches!(load(), StoreError::NewerVersion { found: 2, known: 1 }));

        let mut json: serde_json::Value = serde_json::from_str(&good).unwrap();
        json["protection"]["wrapping_key"] = "00".repeat(32).into();
        std::fs::write(&path, json.to_string()).unwrap();
        assert!(matches!(load(), StoreError::WrongKey));
        json["protection"]["wrapping_key"] = "00".into();
        std::fs::write(&path, json.to_string()).unwrap();
        assert!(matches!(load(), StoreError::KeyDamaged));
    }

    #[test]
    fn a_key_in_a_keychain_that_is_not_there_is_a_clear_error() {
        if keychain_likely() {
            return; // Somebody's desktop: their keychain is not for tests.
        }
        let folder = folder();
        let path = folder.path().join("key");
        ProfileKey::create(&path, KeyProtection::Auto).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["protection"]["kind"], "file");
        json["protection"] = serde_json::json!({"kind": "keychain", "service": SERVICE, "user": "nobody"});
        std::fs::write(&path, json.to_string()).unwrap();
        assert!(matches!(ProfileKey::load(&path), Err(StoreError::Keychain(_))));
    }

    /// Makes a key where the environment names a message bus that is not there, in a process of its own.
    #[test]
    fn a_message_bus_without_a_keychain_leads_to_a_key_file() {
        const NAME: &str = "store::key::tests::a_message_bus_without_a_keychain_leads_to_a_key_file";
        if let Some(path) = std::env::var_os("SEPTET_TEST_KEY") {
            assert!(keychain_likely());
            ProfileKey::create(Path::new(&path), KeyProtection::Auto).unwrap();
            return;
        }
        let folder = folder();
        let path = folder.path().join("key");
        let bus = std::env::var("SEPTET_TEST_BUS").unwrap_or("unix:path=/nowhere/bus".to_owned());
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env("SEPTET_TEST_KEY", &path)
            .env("DBUS_SESSION_BUS_ADDRESS", bus)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["protection"]["kind"], "file");
        assert!(ProfileKey::load(&path).is_ok());
    }
}
