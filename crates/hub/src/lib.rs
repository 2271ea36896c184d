//! The hub: wires the slices together and serves them.
//!
//! Everything that runs, runs through [`open`] and [`app`]: the server, the demo, the tests and the benchmarks.

pub mod app;
pub mod brand;
pub mod config;
pub mod console;
pub mod demo;
pub mod doctor;
pub mod import;
pub mod ledger;
pub mod licence;
pub mod operator;
pub mod serve;
pub mod why;
mod wiring;
pub mod workers;

pub use app::{app, openapi};
pub use serve::open;
pub use wiring::wire;
