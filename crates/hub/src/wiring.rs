//! Who serves whom: the ports of one feature crate, filled by another. The only place where two of them meet.

use std::path::Path;
use std::sync::Arc;

use identity::invitations::Arrival;
use identity::setup::{Founder, Founding, House};
use kernel::door::BoxFuture;
use kernel::news::Of;
use kernel::{Error, Hub, ProviderId, Result, TenantId, WriteTx, scope};
use posture::{Assignee, ImportSettings, People};

/// Puts every crate's state into the hub and fills their ports. Files that are being imported lie in `spool`, a folder of this
/// hub's own.
pub fn wire(hub: &Hub, spool: &Path) {
    identity::provide(hub);
    hub.provide::<Arc<dyn Founder>>(Arc::new(Houses));
    hub.provide::<Arc<dyn Arrival>>(Arc::new(Houses));
    posture::provide(hub, ImportSettings::in_dir(spool));
    hub.provide::<Arc<dyn People>>(Arc::new(TenantPeople(hub.clone())));
    hub.provide::<Arc<dyn kernel::brand::Brands>>(Arc::new(msp::branding::Hosts));
    msp::summaries::wire(hub);
    msp::msp_licence::provide(hub, msp::msp_licence::Issuers::embedded());
    msp::licensing::wire(hub);
    recovery::provide(hub, recovery::Settings::without_a_place(neighbours()));
    operations::provide(hub, &operations::Settings::default(), brands()).expect("without SMTP there is nothing to fail");
}

/// What e-mails wear: the look that `msp` knows of.
pub fn brands() -> Arc<dyn operations::Brands> {
    Arc::new(Letterheads)
}

struct Letterheads;

impl operations::Brands for Letterheads {
    fn of<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<operations::Brand>> {
        Box::pin(async move {
            let brands = hub.port::<Arc<dyn kernel::brand::Brands>>();
            let (brand, base) = (brands.of(hub, of).await?, brands.link_base(hub, of).await?);
            Ok(operations::Brand {
                name: brand.name.clone(),
                colour: brand.colours.brand.clone(),
                text_on_colour: brand.colours.text_on_brand.clone(),
                logo: brand.logo.light.as_ref().map(|path| format!("{base}{path}")),
                support: brand.support.clone().map(|s| operations::Support { label: s.label, url: s.url }),
                footer: brand.email_footer.clone().unwrap_or_default(),
            })
        })
    }
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

    fn room<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>) -> BoxFuture<'a, Result<()>> {
        Box::pin(msp::msp_licence::check_room(tx))
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
                "brand_show" => serde_json::to_value(msp::branding::show_platform(hub).await?).map_err(Error::internal),
                "brand_set" => {
                    let asked = serde_json::from_value(body).map_err(unreadable)?;
                    serde_json::to_value(msp::branding::set_platform(hub, asked).await?).map_err(Error::internal)
                }
                "activate_licence" => {
                    let asked = serde_json::from_value(body).map_err(unreadable)?;
                    serde_json::to_value(msp::msp_licence::activate_as_operator(hub, &asked).await?).map_err(Error::internal)
                }
                "create_tenant" => {
                    let asked = serde_json::from_value(body).map_err(unreadable)?;
                    serde_json::to_value(msp::tenants::create_as_operator(hub, &asked).await?).map_err(Error::internal)
                }
                _ => Err(Error::field("name", "unknown", "is nothing that the operator can ask for")),
            }
        })
    }
}

/// The first provider, and the one organisation of a standalone installation, are made by `msp`.
struct Houses;

impl Founder for Houses {
    fn found<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, founding: &'a Founding) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let person = founding.person;
            match &founding.house {
                House::Provider { name, slug } => {
                    let id = msp::providers::found(tx, name, slug, person).await?;
                    tx.subject("provider", id, name.clone()).in_ledger_of(id);
                    Ok(())
                }
                House::Standalone { tenant, name, slug } => {
                    msp::standalone::found(tx, msp::standalone::Founding { tenant: *tenant, name, slug, person }).await
                }
            }
        })
    }

    fn abandon<'a>(&'a self, hub: &'a Hub, founding: &'a Founding) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let House::Standalone { tenant, .. } = founding.house {
                msp::standalone::abandon(hub, tenant).await;
            }
        })
    }
}

/// What an access mode gives admins is settled by `msp`.
impl Arrival for Houses {
    fn joined<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, provider: ProviderId) -> BoxFuture<'a, Result<()>> {
        Box::pin(msp::staff::joined(tx, provider))
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
