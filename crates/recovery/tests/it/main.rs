//! Recovery, through its front, on both engines.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod backups;
mod bundles;
mod canary;
mod keys;
mod oracle;
mod restores;
mod s3;
mod schema;
mod stage;
