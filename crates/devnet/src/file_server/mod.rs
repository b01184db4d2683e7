//! The file server (spec 04 §2, §14), reached through the last hop of an onion request.
//!
//! `POST /oxen/v4/lsrpc` carries an encrypted v4 request; the routes behind it can also be called directly, as on
//! the real server, which is handy for looking into it with a browser.

mod date;
mod faults;
mod files;
mod kind;
mod routes;
mod server;

pub(crate) use files::Files;
pub use kind::FileServerKind;
pub(crate) use server::{FileServer, FileService, ONION_TARGET};
