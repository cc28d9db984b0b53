//! Party identities, pairing, message envelopes and versions.
