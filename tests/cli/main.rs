//! The built program, as scripts and people use it: several profiles in processes of their own, on a local network
//! in another.

mod attachments;
mod bad_input;
mod conversation;
mod harness;
mod kill;
