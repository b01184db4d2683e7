//! Invitations into groups, with the proof that they come from the group (spec 06 §7.2, §7.5).

use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Ed25519Public, GroupId, SessionId};
use septet_protocol::message::GroupUpdate;
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::store::{GroupRight, Invitation};

/// What an invitation gives; `None` if an update is none, or is not signed by the group it names. Whether the right of a
/// member is one is found out where it is used.
pub fn checked(update: GroupUpdate, me: SessionId, sent: Timestamp) -> Option<Invitation> {
    match update {
        GroupUpdate::Invite { group, name, auth_data, admin_signature } => {
            let signed = format!("INVITE{me}{}", sent.as_ms());
            let admin = Ed25519Public(*group.as_bytes());
            let right = GroupRight::Member(Zeroizing::new(auth_data.as_bytes().to_vec()));
            admin.verify(signed.as_bytes(), &admin_signature).then_some(Invitation { group, name, right })
        }
        // Who has the seed needs no other proof.
        GroupUpdate::Promote { seed, name } => {
            let group = GroupId(Ed25519Secret::from_seed(*seed.as_bytes()).public().0);
            let right = GroupRight::Admin(Zeroizing::new(seed.as_bytes().to_vec()));
            Some(Invitation { group, name, right })
        }
        _ => None,
    }
}
