//! Changes in groups, as they are written (spec 02 §2.19). What they mean and how their signatures are checked is
//! the business of the group module; a user's inbox receives only invitations and promotions.

use crate::attachment::Key;
use crate::id::{GroupId, SessionId};

/// The longest name of a group, in bytes of UTF-8 (spec 06 §11). Received ones are cut to it.
pub const MAX_GROUP_NAME_BYTES: usize = 100;

/// Something changed in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupUpdate {
    /// To a user: you are invited.
    Invite {
        /// The group.
        group: GroupId,
        /// Its name.
        name: String,
        /// The member's right to read and write the group's messages.
        auth_data: Box<Key<100>>,
        /// An admin's signature over the invited account and the sent timestamp of the message (spec 06 §7). Not checked
        /// here.
        admin_signature: [u8; 64],
    },
    /// To a user: you are an admin now.
    Promote {
        /// The group's secret Ed25519 seed.
        seed: Key<32>,
        /// Name of the group.
        name: String,
    },
    /// To the group: its name, picture or timer changed.
    InfoChange {
        /// What changed.
        change: GroupChange,
        /// An admin's signature.
        admin_signature: [u8; 64],
    },
    /// To the group: members came or went.
    MemberChange {
        /// What happened to them.
        change: MemberChange,
        /// Whom it happened to.
        members: Vec<SessionId>,
        /// New members see older messages.
        history_shared: bool,
        /// An admin's signature.
        admin_signature: [u8; 64],
    },
    /// To the group's admins: the sender left and is to be removed.
    MemberLeft,
    /// To the group: the sender left, to be shown.
    MemberLeftNotification,
    /// To the group: the sender accepts the invitation.
    InviteResponse {
        /// Always true.
        approved: bool,
    },
    /// To the group: delete messages.
    DeleteMemberContent {
        /// All that these members wrote.
        members: Vec<SessionId>,
        /// These messages, as the swarm names them.
        hashes: Vec<String>,
        /// An admin's signature; needed unless the sender deletes their own messages.
        admin_signature: Option<[u8; 64]>,
    },
}

/// What changed in a group's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// The new name.
    Name(String),
    /// The picture.
    Picture,
    /// The new timer in seconds; 0 is off.
    Timer(u32),
}

/// What happened to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// They came.
    Added,
    /// They were removed.
    Removed,
    /// They became admins.
    Promoted,
}
