//! Answers to single questions. The vector tests of this crate ask the same questions without the program around it.

mod config;
mod crypto;
mod onion;
mod question;

use serde_json::Value;

pub use question::{Answer, Question};

/// What lives from one question to the next.
#[derive(Default)]
pub struct Program {
    configs: config::Configs,
}

impl Program {
    /// Answers one question. Each area knows its operations and returns `None` for others.
    pub fn answer(&mut self, question: &Question) -> Answer<Value> {
        let op = question.text("op")?;
        crypto::answer(op, question)
            .or_else(|| onion::answer(op, question))
            .or_else(|| self.configs.answer(op, question))
            .unwrap_or_else(|| Err(format!("unknown operation {op}").into()))
    }
}
