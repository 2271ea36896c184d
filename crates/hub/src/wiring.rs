//! Who serves whom: the ports of one feature crate, filled by another. The only place where two of them meet.

use std::path::Path;
use std::sync::Arc;

use identity::setup::{Founder, Founding};
use kernel::door::BoxFuture;
use kernel::{Error, Hub, Result, TenantId, WriteTx, scope};
use posture::{Assignee, ImportSettings, People};

/// Puts every crate's state into the hub and fills their ports. Files that are being imported lie in `spool`, a folder of this
/// hub's own.
pub fn wire(hub: &Hub, spool: &Path) {
    identity::provide(hub);
    hub.provide::<Arc<dyn Founder>>(Arc::new(Providers));
    posture::provide(hub, ImportSettings::in_dir(spool));
    hub.provide::<Arc<dyn People>>(Arc::new(TenantPeople(hub.clone())));
    msp::summaries::wire(hub);
    recovery::provide(hub, recovery::Settings::without_a_place(neighbours()));
    operations::provide(hub, &operations::Settings::default(), brands()).expect("without SMTP there is nothing to fail");
}

/// What e-mails wear.
pub fn brands() -> Arc<dyn operations::Brands> {
    Arc::new(operations::PlainBrands)
}

/// What recovery needs of the others.
pub fn neighbours() -> Arc<dyn recovery::Neighbours> {
    Arc::new(Neighbours)
}

struct Neighbours;

impl recovery::Neighbours for Neighbours {
    fn refresh<'a>(&'a self, hub: &'a Hub, tenant: TenantId) -> BoxFuture<'a, Result<()>> {
        Box::pin(posture::recheck(hub, tenant))
    }

    fn ledger_keys<'a>(&'a self, hub: &'a Hub) -> BoxFuture<'a, Result<serde_json::Value>> {
        Box::pin(async { serde_json::to_value(hub.signing_keys().await?).map_err(Error::internal) })
    }

    fn act<'a>(&'a self, hub: &'a Hub, name: &'a str, body: serde_json::Value) -> BoxFuture<'a, Result<serde_json::Value>> {
        Box::pin(async move {
            let unreadable = |error| Error::field("body", "wrong_type", format!("{error}"));
            match name {
                "break_glass" => {
                    let asked = serde_json::from_value(body).map_err(unreadable)?;
                    serde_json::to_value(msp::elevations::break_glass(hub, &asked).await?).map_err(Error::internal)
                }
                "set_tier" => {
                    let asked = serde_json::from_value(body).map_err(unreadable)?;
                    serde_json::to_value(msp::relationships::set_tier_as_operator(hub, &asked).await?).map_err(Error::internal)
                }
                _ => Err(Error::field("name", "unknown", "is nothing that the operator can ask for")),
            }
        })
    }
}

/// The first provider is made by `msp`.
struct Providers;

impl Founder for Providers {
    fn found<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, founding: &'a Founding) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let id = msp::providers::found(tx, &founding.provider_name, &founding.provider_slug, founding.person).await?;
            tx.subject("provider", id, founding.provider_name.clone()).in_ledger_of(id);
            Ok(())
        })
    }
}

/// Who may look after findings is known to `msp`.
struct TenantPeople(Hub);

impl People for TenantPeople {
    fn assignable(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Assignee>>> {
        Box::pin(async move {
            let people = msp::people::assignable(&self.0, tenant).await?;
            Ok(people.into_iter().map(as_posture_knows_them).collect())
        })
    }
}

fn as_posture_knows_them(person: msp::people::Assignee) -> Assignee {
    Assignee { id: person.id, name: person.name, acts_as: person.as_, staff: person.is_staff }
}
