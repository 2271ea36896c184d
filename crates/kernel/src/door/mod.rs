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
mod entry;
mod explain;
mod fair;
mod fan;
mod hub;
mod own;
mod record;
mod refused;
mod relay;
mod resolve;
mod sign;
mod snapshot;
mod standing;
mod system;
mod tx;

pub use caller::{COOKIE, Caller, CallerKey, FRESH, fresh_until};
pub use context::{Can, CanMap, ClientCx, ProviderCx, TenantCx};
pub use entry::{STAY, SWITCH_POLICY, SwitchPolicy};
pub use explain::{Explained, Memo, Stand, Stands, Through};
pub use fair::{FairLimits, WRITE_COST};
pub use fan::{ClientBrief, ClientNamed, FanOrder, FanPage, FanRows, Fanned, Unreadable};
pub use futures_util::future::BoxFuture;
pub use hub::{Forget, Hub, HubConfig};
pub use own::{LeavingCx, OwnCx, PublicCx};
pub(crate) use record::Scratch;
pub use relay::{Carrier, Topic};
pub use resolve::ACCESS_MODE;
pub use sign::{ChainId, ROTATION_LEAD, SIGN_AFTER, SIGN_ENTRIES, Signer, checkpoint_of};
pub use standing::{Held, TenantInfo};
pub use tx::{ReadTx, Scope, WriteTx, scope};
