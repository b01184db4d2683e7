//! Lies about the nodes of the network, told by the seed to a device that starts for the first time.
