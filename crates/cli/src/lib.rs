//! Commands, prompts, tables, progress.
