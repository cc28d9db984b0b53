//! Commands against a daemon that a test plays.
