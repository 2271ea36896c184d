//! The demo: an MSP, "Northwind IT", with clients in every state, played through the API as its own people would.
//!
//! | file | what it is |
//! |---|---|
//! | `catalogue` | what the demo's scanners check: our own text, in TOML |
//! | `estate` | what a client owns: accounts, users, buckets, hosts, repositories |
//! | `scans` | ninety days of scan files for a client, made of the two |
//! | `cast` | the clients and the people |
//! | `api` | the client that sends their requests, in process |
//! | `story` | who does what, in which order |
//! | `business` | prices, and limits of one's own |
//! | `fleet` | groups of clients, a grant over many, and changes to many |
//! | `trust` | elevations that were asked for, and API keys |
//! | `brands` | what Northwind and two clients look like |
//! | `run` | `tenantry demo` |
//!
//! Chance comes from the client's name, so the same demo is the same every time. What this deliberately does not do: write to a
//! database, or anything else that a person with a browser could not.

mod api;
mod brands;
mod business;
mod cast;
mod catalogue;
mod estate;
mod fleet;
mod random;
mod run;
pub mod scans;
pub mod story;
mod trust;

pub use catalogue::Area;
pub use run::{Options, run};
