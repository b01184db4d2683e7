//! What survives a restart: the list of nodes, the guards, and the clock (spec 03 §3, §5, §8).
//!
//! Guards say where on the network a person can be watched, so all of this is encrypted like everything else of a
//! profile: XChaCha20-Poly1305 under a key of its own per file, derived from the one that is handed in. Layout: one byte
//! `1`, the 24-byte nonce, the ciphertext of JSON that also names the network it is from.
//!
//! Decision: a file that cannot be read or written is no misfortune: a seed will help, and the next start has new
//! guards; so errors are logged and that is all. Files are written one at a time, in the order they were handed over,
//! only if they have changed, under a name of their own first, and then renamed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use septet_protocol::crypto::{Random, SystemRandom, blake2b, xchacha_decrypt, xchacha_encrypt};
use septet_protocol::swarm::Node;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::SavedClock;
use crate::policy::SavedGuards;

/// The format of the files.
const VERSION: u8 = 1;
/// The end of names of files that are being written.
const UNFINISHED: &str = "new";
/// Files of earlier versions, which were not encrypted.
const PLAIN: [&str; 2] = ["nodes.json", "guards.json"];

/// The folder.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Folder>);

struct Folder {
    path: PathBuf,
    network: String,
    key: Zeroizing<[u8; 32]>,
    /// What each file holds, and the number of the order that it was written by.
    written: Mutex<BTreeMap<&'static str, (u64, Vec<u8>)>>,
    orders: Mutex<u64>,
}

/// The list of nodes as it was fetched.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedNodes {
    /// Unix ms, by the network's clock.
    pub fetched: i64,
    /// The nodes.
    pub nodes: Vec<Node>,
}

#[derive(Serialize, Deserialize)]
struct Saved<T> {
    network: String,
    content: T,
}

impl Disk {
    /// Uses `data_dir/network` for the network with this identity, and clears away what was left unfinished there.
    pub fn new(data_dir: &Path, network: String, key: &[u8; 32]) -> Self {
        let path = data_dir.join("network");
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == UNFINISHED) {
                // If it cannot be removed it does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
        let (key, written, orders) = (Zeroizing::new(*key), Mutex::default(), Mutex::default());
        Self(Arc::new(Folder { path, network, key, written, orders }))
    }

    /// The saved list.
    pub fn nodes(&self) -> Option<SavedNodes> {
        self.0.read("nodes")
    }

    /// Saves the list.
    pub fn save_nodes(&self, nodes: SavedNodes) {
        self.write("nodes", nodes);
    }

    /// The saved guards; those of an earlier version, too.
    pub fn guards(&self) -> SavedGuards {
        self.0.read("guards").or_else(|| self.0.plain_guards()).unwrap_or_default()
    }

    /// Saves the guards.
    pub fn save_guards(&self, guards: SavedGuards) {
        self.write("guards", guards);
    }

    /// The saved clock.
    pub fn clock(&self) -> Option<SavedClock> {
        self.0.read("clock")
    }

    /// Saves the clock.
    pub fn save_clock(&self, clock: SavedClock) {
        self.write("clock", clock);
    }

    /// Writes aside, without holding up the caller.
    fn write<T: Serialize + Send + 'static>(&self, name: &'static str, content: T) {
        let number = {
            let mut orders = self.0.orders.lock().unwrap_or_else(PoisonError::into_inner);
            *orders += 1;
            *orders
        };
        let folder = self.0.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = folder.write(name, number, content) {
                tracing::warn!(name, %error, "cannot be saved");
            }
        });
    }
}

impl Folder {
    fn key_of(&self, name: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake2b(&self.key[..], &[name.as_bytes()]))
    }

    fn read<T: DeserializeOwned>(&self, name: &'static str) -> Option<T> {
        let sealed = fs::read(self.path.join(name)).ok()?;
        let text = self.open(name, &sealed);
        let saved = text.and_then(|text| serde_json::from_slice::<Saved<T>>(&text).ok());
        if saved.is_none() {
            tracing::warn!(name, "a saved file is damaged and not used");
        }
        saved.filter(|saved| saved.network == self.network).map(|saved| saved.content)
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let rest = sealed.strip_prefix(&[VERSION])?;
        let (nonce, ciphertext) = rest.split_first_chunk::<24>()?;
        xchacha_decrypt(&self.key_of(name), nonce, ciphertext).ok()
    }

    /// Guards as they were written before they were encrypted. The files go when the new ones are written.
    fn plain_guards(&self) -> Option<SavedGuards> {
        let text = fs::read(self.path.join("guards.json")).ok()?;
        let saved: Saved<Vec<_>> = serde_json::from_slice(&text).ok()?;
        let kept = (saved.network == self.network).then_some(saved.content)?;
        Some(SavedGuards { kept, former: Vec::new() })
    }

    /// Replaces a file, unless it holds just that, or something of a later order.
    fn write(&self, name: &'static str, number: u64, content: impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec(&Saved { network: self.network.clone(), content })?;
        // Held while writing: there is one writer.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.get(name).is_some_and(|(later, known)| *later > number || *known == text) {
            return Ok(());
        }
        create_private(&self.path)?;
        let mut random = SystemRandom;
        let nonce: [u8; 24] = random.array();
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend(xchacha_encrypt(&self.key_of(name), &nonce, &text));
        replace(&self.path, name, &sealed)?;
        written.insert(name, (number, text));
        for old in PLAIN {
            // Mostly it is not there.
            let _ = fs::remove_file(self.path.join(old));
        }
        Ok(())
    }
}

fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = folder.join(format!("{name}-{}.{UNFINISHED}", HEXLOWER.encode(&SystemRandom.array::<8>())));
    let mut file = fs::File::create_new(&aside)?;
    let done = file.write_all(bytes).and_then(|()| file.sync_all());
    let done = done.and_then(|()| fs::rename(&aside, folder.join(name)));
    if done.is_err() {
        // Nothing is to be left behind; if this fails as well, the next start clears it away.
        let _ = fs::remove_file(&aside);
    }
    done
}

/// Who our guards are is nobody else's business.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use septet_protocol::id::Ed25519Public;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn guards(n: u8) -> SavedGuards {
        SavedGuards { kept: vec![Ed25519Public([n; 32])], former: Vec::new() }
    }

    fn disk(folder: &Path) -> Disk {
        Disk::new(folder, "one".to_owned(), &KEY)
    }

    #[test]
    fn what_is_written_is_read_back_with_the_same_key_for_the_same_network() {
        let folder = tempfile::tempdir().unwrap();
        let one = disk(folder.path());
        assert_eq!(one.guards(), SavedGuards::default());
        one.0.write("guards", 1, guards(1)).unwrap();
        assert_eq!(disk(folder.path()).guards(), guards(1));
        assert_eq!(Disk::new(folder.path(), "two".to_owned(), &KEY).guards(), SavedGuards::default());
        assert_eq!(Disk::new(folder.path(), "one".to_owned(), &[8; 32]).guards(), SavedGuards::default());
    }

    #[test]
    fn nothing_of_it_can_be_read_by_others() {
        let folder = tempfile::tempdir().unwrap();
        disk(folder.path()).0.write("guards", 1, guards(0xab)).unwrap();
        let sealed = fs::read(folder.path().join("network/guards")).unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("abab") && !text.contains("kept"), "{text}");
    }

    #[test]
    fn the_last_order_stays_whichever_is_carried_out_last() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path());
        disk.0.write("guards", 2, guards(2)).unwrap();
        disk.0.write("guards", 1, guards(1)).unwrap();
        assert_eq!(disk.guards(), guards(2));
    }

    #[test]
    fn what_has_not_changed_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, file) = (disk(folder.path()), folder.path().join("network/guards"));
        disk.0.write("guards", 1, guards(1)).unwrap();
        let before = fs::read(&file).unwrap();
        disk.0.write("guards", 2, guards(1)).unwrap();
        assert_eq!(fs::read(&file).unwrap(), before, "another nonce would show a second writing");
    }

    #[test]
    fn plain_files_of_an_earlier_version_are_taken_over_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let network = folder.path().join("network");
        fs::create_dir(&network).unwrap();
        let plain = Saved { network: "one".to_owned(), content: guards(3).kept };
        fs::write(network.join("guards.json"), serde_json::to_vec(&plain).unwrap()).unwrap();
        fs::write(network.join("guards-01.new"), "half").unwrap();
        let disk = disk(folder.path());
        assert_eq!(disk.guards(), guards(3));
        disk.0.write("guards", 1, guards(3)).unwrap();
        let left: Vec<_> = fs::read_dir(&network).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["guards"]);
    }

    #[test]
    fn a_damaged_file_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("network")).unwrap();
        fs::write(folder.path().join("network/guards"), [VERSION; 60]).unwrap();
        assert_eq!(disk(folder.path()).guards(), SavedGuards::default());
    }
}
