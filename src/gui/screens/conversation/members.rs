//! Who can be mentioned in a conversation.

use egui::Color32;
use septet_client::model::{Conversation, ConversationKind};
use septet_protocol::id::SessionId;

use super::words;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::avatar;

/// Somebody in a conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// Who.
    pub id: SessionId,
    /// What they are called here: "You", the nickname, the name.
    pub name: String,
    /// Their public name, if that is another one.
    pub public: Option<String>,
    /// The colour of their picture.
    pub color: Color32,
}

/// Those in a conversation, we first. Nobody in Note to Self, where there is nobody to call.
pub fn of(cx: &ViewCtx<'_>, conversation: &Conversation) -> Vec<Member> {
    if conversation.kind != ConversationKind::Private {
        return Vec::new();
    }
    let us = cx.state.me.as_ref().map(|me| me.id);
    let ids = us.into_iter().chain(conversation.address.account());
    ids.map(|id| {
        let name = words::author(cx, id);
        let public = match us == Some(id) {
            true => cx.state.me.as_ref().map(|me| me.name.clone()),
            false => Some(conversation.name.clone()),
        };
        let public = public.filter(|public| !public.is_empty() && *public != name);
        Member { id, name, public, color: avatar::color(id) }
    })
    .collect()
}

impl Member {
    /// Whether what was typed behind `@` means them: part of a name, or the beginning of the id.
    pub fn fits(&self, typed: &str) -> bool {
        let typed = typed.to_lowercase();
        let within = |name: &str| name.to_lowercase().contains(&typed);
        within(&self.name)
            || self.public.as_deref().is_some_and(within)
            || self.id.to_string().starts_with(&typed)
    }
}
