//! Where what is new comes from.

pub mod swarm;
