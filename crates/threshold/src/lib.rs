//! Key shares and the threshold protocols over them.
