//! What can be wrong with the file server, as it looks at it.

use std::time::Duration;

use crate::fault::FileFault;

/// What is wrong with the server at present.
#[derive(Clone, Default)]
pub(super) struct Faults {
    pub wrong_bytes: bool,
    pub truncated: bool,
    pub not_found: bool,
    pub refuses_uploads: Option<u16>,
    pub broken: bool,
    pub bad_gateway: bool,
    pub slow: Option<Duration>,
    pub dead: bool,
}

impl Faults {
    /// Adds a fault to those that hold.
    pub fn add(&mut self, fault: FileFault) {
        match fault {
            FileFault::WrongBytes => self.wrong_bytes = true,
            FileFault::Truncated => self.truncated = true,
            FileFault::NotFound => self.not_found = true,
            FileFault::TooLarge => self.refuses_uploads = Some(413),
            FileFault::RefusesUploads(status) => self.refuses_uploads = Some(status),
            FileFault::Broken => self.broken = true,
            FileFault::BadGateway => self.bad_gateway = true,
            FileFault::Slow(delay) => self.slow = Some(delay),
            FileFault::Dead => self.dead = true,
        }
    }
}
