//! The screens: what fills the window, or a region of it.

pub mod account;
pub mod conversation;
pub mod deeds;
pub mod list;
pub mod path;
pub mod welcome;
