//! The policy, played through: what must hold in every history, and single stories told step by step.

mod histories;
mod play;
mod stories;

pub(crate) use play::node;
