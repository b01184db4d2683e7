//! What survives a restart: the list of nodes, and the guards (spec 03 §3, §5).
//!
//! Decision: two small JSON files in a folder of their own, each replaced whole (written aside, then renamed), and tied
//! to the network they are from. A file that cannot be read or written is no misfortune: a seed will help, and the next
//! start has new guards; so errors are logged and that is all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::Node;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The folder.
#[derive(Clone)]
pub(crate) struct Disk {
    folder: PathBuf,
    network: String,
}

/// The list of nodes as it was fetched.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedNodes {
    /// Unix ms, by the machine's clock.
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
    /// Uses `data_dir/network`, for the network with this identity.
    pub fn new(data_dir: &Path, network: String) -> Self {
        Self { folder: data_dir.join("network"), network }
    }

    /// The saved list.
    pub fn nodes(&self) -> Option<SavedNodes> {
        self.read("nodes.json")
    }

    /// Saves the list.
    pub fn save_nodes(&self, nodes: SavedNodes) {
        self.write("nodes.json", nodes);
    }

    /// The saved guards.
    pub fn guards(&self) -> Vec<Ed25519Public> {
        self.read("guards.json").unwrap_or_default()
    }

    /// Saves the guards.
    pub fn save_guards(&self, guards: Vec<Ed25519Public>) {
        self.write("guards.json", guards);
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = fs::read(self.folder.join(name)).ok()?;
        match serde_json::from_slice::<Saved<T>>(&text) {
            Ok(saved) => (saved.network == self.network).then_some(saved.content),
            Err(error) => {
                tracing::warn!(name, %error, "a saved file is damaged and not used");
                None
            }
        }
    }

    /// Writes aside, without holding up the caller.
    fn write<T: Serialize + Send + 'static>(&self, name: &'static str, content: T) {
        let disk = self.clone();
        tokio::task::spawn_blocking(move || {
            let saved = Saved { network: disk.network, content };
            if let Err(error) = replace(&disk.folder, name, &saved) {
                tracing::warn!(name, %error, "cannot be saved");
            }
        });
    }
}

fn replace(folder: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
    create_private(folder)?;
    let aside = folder.join(format!("{name}.new"));
    let mut file = fs::File::create(&aside)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    file.sync_all()?;
    fs::rename(aside, folder.join(name))
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
    use super::*;
    use crate::pool::tests::node;

    #[test]
    fn nodes_are_read_back_for_the_same_network_only() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path(), "one".to_owned());
        assert!(disk.nodes().is_none());
        let saved =
            Saved { network: "one".to_owned(), content: SavedNodes { fetched: 5, nodes: vec![node(1)] } };
        replace(&disk.folder, "nodes.json", &saved).unwrap();
        assert_eq!(disk.nodes().unwrap().nodes, [node(1)]);
        assert!(Disk::new(folder.path(), "two".to_owned()).nodes().is_none());
    }

    #[test]
    fn a_damaged_file_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path(), "one".to_owned());
        fs::create_dir(&disk.folder).unwrap();
        fs::write(disk.folder.join("guards.json"), "{\"network\":\"one\",\"content\":[\"zz").unwrap();
        assert!(disk.guards().is_empty());
    }
}
