//! Recovery, through its front, on both engines.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod backups;
mod oracle;
mod restores;
mod schema;
mod stage;
