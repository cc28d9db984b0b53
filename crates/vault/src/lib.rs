//! Charter, requests, approvals, sessions: decides everything, does nothing.
