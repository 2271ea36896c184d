//! The door. A context says who asks and where; an action opens a transaction of its kind, or is refused.
//!
//! - [`TenantCx`]: `/tenants/{tenant}/…`. Data actions open the tenant's database, records actions the control records of that tenant.
//! - [`ProviderCx`]: `/providers/{provider}/…`, a provider's own records.
//! - [`ClientCx`]: `/providers/{provider}/tenants/{tenant}/…`, a provider's records about one of its tenants.
//! - [`OwnCx`]: `/me`, the signed-in person's own records. [`PublicCx`]: nobody is signed in. [`LeavingCx`]: signing out.
//!
//! Which kind of transaction an action opens is part of its type, so a wrong pairing does not compile:
//! ```compile_fail
//! # async fn f(cx: kernel::TenantCx) -> kernel::Result<()> {
//! let tx = cx.write::<access::actions::FindingList>().await?; // a reader
//! # Ok(()) }
//! ```
//! ```compile_fail
//! # async fn f(cx: kernel::TenantCx) -> kernel::Result<()> {
//! let tx = cx.read::<access::actions::StaffList>().await?; // not a tenant's
//! # Ok(()) }
//! ```

mod caller;
mod context;
mod hub;
mod record;
mod relay;
mod snapshot;
mod standing;
mod tx;

pub use caller::{COOKIE, Caller};
pub use context::{Can, CanMap, ClientCx, LeavingCx, OwnCx, ProviderCx, PublicCx, TenantCx, signed_in};
pub use futures_util::future::BoxFuture;
pub use hub::{Forget, Hub, HubConfig};
pub(crate) use record::Scratch;
pub use relay::{Carrier, Topic};
pub use standing::{Held, TenantInfo};
pub use tx::{ReadTx, WriteTx, scope};
