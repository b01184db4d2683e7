//! What the swarm is to get of the documents, and what became of that (spec 05 §7, §8).

use std::collections::BTreeSet;

use septet_protocol::config::{Config, Push, PushError, StorageHash};
use septet_protocol::id::{MessageHash, Namespace};
use septet_protocol::time::Timestamp;

use super::DocumentSet;
use crate::store::{Db, StoreError};

/// One part of a push: a document and the messages it consists of.
pub struct Part {
    /// Where it is stored.
    pub namespace: Namespace,
    /// Its version.
    pub seqno: i64,
    /// What is to be stored; nothing if only something is to be deleted.
    pub messages: Vec<Vec<u8>>,
    /// What is to be deleted after that.
    pub obsolete: Vec<StorageHash>,
    /// Where the document is stored, as far as known: what replaces that if there is nothing to store.
    pub current: Vec<StorageHash>,
}

/// What became of a part of a push.
pub struct Pushed {
    /// Where it is stored.
    pub namespace: Namespace,
    /// Its version.
    pub seqno: i64,
    /// The names of all its messages in the swarm; `None` if not all of them are there.
    pub stored: Option<Vec<StorageHash>>,
    /// What was to be deleted after that.
    pub obsolete: Vec<StorageHash>,
}

/// A document as it can be put back into the swarm.
pub struct Kept {
    /// Where it is stored.
    pub namespace: Namespace,
    /// What its messages are called.
    pub hashes: BTreeSet<MessageHash>,
    /// Their bytes.
    pub messages: Vec<Vec<u8>>,
}

/// What is to be pushed, and what cannot be.
#[derive(Default)]
pub struct ToPush {
    /// What is to be pushed.
    pub parts: Vec<Part>,
    /// Documents that cannot be pushed, and why. They stay as they are.
    pub refused: Vec<(Namespace, PushError)>,
}

impl DocumentSet {
    /// What is to be pushed, and what cannot be; nothing before the swarm was read whole. Each document is written back, because handing out its bytes changes
    /// it.
    pub fn take_parts(&self, db: &mut Db, now: Timestamp) -> Result<ToPush, StoreError> {
        db.transaction(|db| {
            let mut to_push = ToPush::default();
            // Whatever it is, the swarm may know better.
            if !db.swarm_was_read()? {
                return Ok(to_push);
            }
            for namespace in db.configs_to_push(self.owner())? {
                match self.with_config(db, namespace, |config| part(config, now))? {
                    Ok(part) => to_push.parts.push(part),
                    Err(error) => to_push.refused.push((namespace, error)),
                }
            }
            Ok(to_push)
        })
    }

    /// The end of a push, all of it in one transaction: the swarm has what is stored; what it did not delete is to be
    /// deleted with the next push.
    pub fn finish_push(&self, db: &mut Db, pushed: &[Pushed], deleted: bool) -> Result<(), StoreError> {
        db.transaction(|db| {
            for part in pushed {
                self.with_config(db, part.namespace, |config| {
                    if let Some(hashes) = part.stored.as_ref().filter(|hashes| !hashes.is_empty()) {
                        config.confirm_pushed(part.seqno, hashes);
                    }
                    let document = config.document_mut();
                    match (deleted, &part.stored) {
                        (true, _) => document.forget_obsolete(&part.obsolete),
                        (false, Some(_)) if !part.obsolete.is_empty() => {
                            document.return_obsolete(part.obsolete.iter().cloned());
                        }
                        (false, _) => {}
                    }
                })?;
            }
            Ok(())
        })
    }

    /// These are deleted from the swarm.
    pub fn forget_obsolete(
        &self,
        db: &mut Db,
        deleted: &[(Namespace, Vec<StorageHash>)],
    ) -> Result<(), StoreError> {
        db.transaction(|db| {
            for (namespace, hashes) in deleted {
                self.with_config(db, *namespace, |config| config.document_mut().forget_obsolete(hashes))?;
            }
            Ok(())
        })
    }

    /// The names of everything in the swarm that our documents consist of.
    pub fn active_hashes(&self, db: &Db) -> Result<Vec<MessageHash>, StoreError> {
        let mut hashes = Vec::new();
        for namespace in db.config_namespaces(self.owner())? {
            let config = self.config(db, namespace)?;
            hashes.extend(config.active_hashes().iter().filter_map(StorageHash::to_message_hash));
        }
        Ok(hashes)
    }

    /// The current documents that some of `missing` belong to. One that is to be pushed is left out: the push replaces
    /// it.
    pub fn kept(&self, db: &Db, missing: &BTreeSet<MessageHash>) -> Result<Vec<Kept>, StoreError> {
        let mut list = Vec::new();
        for namespace in db.config_namespaces(self.owner())? {
            let config = self.config(db, namespace)?;
            let current = config.document().current_hashes().iter();
            let hashes: BTreeSet<MessageHash> = current.filter_map(StorageHash::to_message_hash).collect();
            if hashes.is_disjoint(missing) {
                continue;
            }
            match config.stored() {
                Ok(Some(messages)) => list.push(Kept { namespace, hashes, messages }),
                Ok(None) => {}
                Err(error) => tracing::warn!(%namespace, %error, "a config cannot be put back"),
            }
        }
        Ok(list)
    }

    /// These are back in the swarm, under these names.
    pub fn confirm_stored(
        &self,
        db: &mut Db,
        stored: &[(Namespace, Vec<StorageHash>)],
    ) -> Result<(), StoreError> {
        db.transaction(|db| {
            for (namespace, hashes) in stored {
                self.with_config(db, *namespace, |config| config.confirm_stored(hashes))?;
            }
            Ok(())
        })
    }
}

/// What of a document is to be pushed: all of it, or only what it has to delete.
fn part(config: &mut dyn Config, now: Timestamp) -> Result<Part, PushError> {
    let namespace = config.kind().namespace();
    if !config.needs_push() {
        let document = config.document();
        let (seqno, obsolete) = (document.seqno(), document.obsolete());
        let current = document.current_hashes().to_vec();
        return Ok(Part { namespace, seqno, messages: Vec::new(), obsolete, current });
    }
    let Push { seqno, messages, obsolete } = config.push(now)?;
    Ok(Part { namespace, seqno, messages, obsolete, current: Vec::new() })
}
