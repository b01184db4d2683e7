//! Why a request did not succeed, in the words of the one who asked.

use septet_protocol::name::InvalidName;
use septet_protocol::swarm::ReplyError;

/// Why a request did not succeed. Everything worth trying again has been tried again by then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No node can be reached, and nothing of a request to a swarm has left this machine. Wait until
    /// [`crate::Network::status`] says connected.
    #[error("there is no connection to the network")]
    Offline,
    /// Nodes were reached, but no answer came in time. It may have been carried out; trying again is harmless.
    #[error("the network did not answer in time")]
    Timeout,
    /// Several nodes failed one after another. Try again later.
    #[error("the network did not manage to do it")]
    Failed,
    /// The node refuses this request (400, 401, 403, 404): trying again will not help.
    #[error("the network refuses the request ({status}: {text})")]
    Rejected {
        /// The status.
        status: u16,
        /// What the node says; text from outside.
        text: String,
    },
    /// Nodes find our time wrong even after measuring it.
    #[error("the network finds this machine's time wrong")]
    ClockOff,
    /// Nodes gave replies that cannot be read.
    #[error("the network's reply cannot be read: {0}")]
    BadReply(#[from] ReplyError),
    /// The file is not on the server any more (or never was). For good.
    #[error("the file is no longer on the server")]
    FileGone,
    /// The server does not take so large a file, or has sent more than a file can have. For good.
    #[error("the file is too large for the server")]
    FileTooLarge,
    /// Cancelled by the one who asked.
    #[error("cancelled")]
    Cancelled,
    /// Nobody has registered this name.
    #[error("nobody has this name")]
    NameUnknown,
    /// What was typed cannot be a name.
    #[error(transparent)]
    NameForm(#[from] InvalidName),
    /// Nodes disagree about who has this name, or the record cannot be opened. Do not believe any of them.
    #[error("the network does not agree about this name")]
    NameDisputed,
    /// TLS or the data folder cannot be used on this machine.
    #[error("the network part cannot be set up: {0}")]
    Setup(String),
}
