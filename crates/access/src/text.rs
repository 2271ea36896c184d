//! Schema and policies as text: for the proofs and for tests that edit them.

/// The Cedar schema: its head, and the actions that the build made from the catalogue.
pub const SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/hub.cedarschema"));

/// The policies that decide.
pub const POLICIES: &str = include_str!("../policies/hub.cedar");
