//! Invitations into groups, kept until groups can be joined (spec 06 §7.2, §7.5).
//!
//! Decision: an invitation is kept in the table of groups with all that it gives, as a group that waits to be accepted,
//! whoever sent it: of people we accepted, a version with groups takes it up by itself; of strangers it is a request. In
//! this version only people we accepted are heard of it, by a line in the conversation with them.
//!
//! The copy in the swarm stays, because other devices of ours do not learn of it in another way yet.

use rusqlite::params;
use septet_protocol::id::SessionId;

use super::message::Body;
use super::{Receiver, Standing};
use crate::model::{Address, ConversationId, Expiry, Notice};
use crate::store::arrived::{GroupRight, Incoming, Invitation, ReceivedItem};
use crate::store::error::StoreError;
use crate::store::values::Ms;

impl Receiver<'_> {
    /// We are invited into a group, or made its admin.
    pub(super) fn invitation(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
        invitation: &Invitation,
    ) -> Result<bool, StoreError> {
        if incoming.sender == self.me.id {
            return Ok(false);
        }
        let address = Address::from(invitation.group);
        let conversation = self.db.ensure_conversation(&address)?;
        self.write_invitation(conversation, incoming.sender, invitation)?;
        let at = self.place_in_time(item, incoming).0;
        self.db.touch_conversation(conversation, at, false)?;
        self.strangers |= !standing.approved;
        if standing.approved && !standing.blocked {
            let notice = Notice::GroupInvitation { name: invitation.name.clone() };
            let body = Body { notice: Some(&notice), ..Body::empty(Expiry::Off) };
            self.message(item, incoming, standing, &body)?;
        }
        Ok(true)
    }

    /// What the invitation gives is added to what is here: an admin stays one, who is in stays in, and who was removed
    /// is invited again.
    fn write_invitation(
        &self,
        conversation: ConversationId,
        inviter: SessionId,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        let inviter = self.db.person(inviter)?;
        let (auth, seed) = match &invitation.right {
            GroupRight::Member(auth) => (Some(&auth[..]), None),
            GroupRight::Admin(seed) => (None, Some(&seed[..])),
        };
        let mut statement = self.db.sql().prepare_cached(
            "INSERT INTO groups (conversation, name, seed, auth, joined_at, invited, invited_by)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)
             ON CONFLICT DO UPDATE SET name = excluded.name, seed = coalesce(excluded.seed, seed),
                 auth = coalesce(excluded.auth, auth),
                 invited = CASE WHEN removed <> 0 THEN 1 ELSE invited END, removed = 0,
                 invited_by = excluded.invited_by",
        )?;
        let values = params![conversation.0, invitation.name, seed, auth, Ms(self.now), inviter];
        statement.execute(values)?;
        Ok(())
    }
}
