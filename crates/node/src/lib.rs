//! The daemon: sockets, disk, randomness, chain RPC, local API server.
