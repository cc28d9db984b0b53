//! Bytes to intents, digests and signed bytes, a module per chain.
