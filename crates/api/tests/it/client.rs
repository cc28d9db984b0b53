//! What the client does with good, bad and hostile answers.
