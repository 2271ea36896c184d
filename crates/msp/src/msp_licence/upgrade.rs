//! From a standalone installation to a provider's, in one commit.

use kernel::store::StoreError;
use kernel::validate::Check;
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Terms, enforce};
use crate::standalone::{self, Upgraded};

/// A licence that is activated on a standalone installation.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct LicenceActivate {
    /// The text of the licence's file.
    pub licence: String,
    /// The name that the provider gets.
    pub provider_name: String,
    /// Its slug.
    pub provider_slug: String,
}

/// A provider that was made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct NamedProvider {
    /// Its id.
    pub id: ProviderId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A tenant, named.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct NamedTenant {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A licence was activated: the installation has a provider now.
    LicenceActivated,
}

impl NoticeKind {
    /// Its word, which a person puts away with it (`preferences.dismissed`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LicenceActivated => "licence_activated",
        }
    }
}

/// Something that is told once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Notice {
    /// What about.
    pub kind: NoticeKind,
    /// Since when.
    pub at: Timestamp,
    /// Name of the provider that there is now.
    pub provider: String,
    /// Who became its first admin.
    pub by: String,
    /// What of the organisation came along, and stayed as it was.
    pub linked: Linked,
}

/// What was there before, and stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Linked {
    /// Members that are not disabled.
    pub members: i64,
    /// Scans.
    pub scans: i64,
    /// Findings that are open.
    pub findings_open: i64,
}

/// As stored.
#[derive(Serialize, Deserialize)]
struct Facts {
    provider: String,
    by: String,
    linked: Linked,
}

impl Notice {
    pub(super) fn read(at: Timestamp, facts: serde_json::Value) -> Result<Self> {
        let Facts { provider, by, linked } = serde_json::from_value(facts).map_err(Error::internal)?;
        Ok(Self { kind: NoticeKind::LicenceActivated, at, provider, by, linked })
    }
}

/// A licence that was activated.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Activated {
    /// The provider that there is now.
    pub provider: NamedProvider,
    /// Its first client.
    pub tenant: NamedTenant,
    /// What everybody there is told.
    pub notice: Notice,
}

/// Activates a licence: the placeholder becomes the provider that is asked for, the person its first admin (they stay what they are in
/// their organisation), and the organisation its first client. The relationship begins at T3, since the organisation's own admin makes
/// it; it can lower, freeze or end it like any other. Nothing in the organisation's database changes.
///
/// # Errors
/// `Conflict` where there is a provider already, `Invalid`.
pub async fn activate(tx: &mut WriteTx<scope::Records>, body: &LicenceActivate) -> Result<Activated> {
    let (tenant, me) = (tx.scope.tenant, tx.me()?.clone());
    let Some(provider) = standalone::holder(tx, tenant).await? else {
        return Err(Error::Conflict("This installation has a provider already. Its operator renews the licence.".into()));
    };
    tx.in_ledger_of(provider)
        .reason("The organisation's own admin activated a licence, and with it agreed to the provider's access.");
    upgrade(tx, Who { provider, tenant, person: me.person, name: &me.name, by: Some(me.person) }, body).await
}

/// Whom an activation makes what.
pub(super) struct Who<'a> {
    pub provider: ProviderId,
    pub tenant: TenantId,
    /// The first admin.
    pub person: PersonId,
    pub name: &'a str,
    /// Who activates; none: the operator.
    pub by: Option<PersonId>,
}

pub(super) async fn upgrade<S: scope::Control>(tx: &mut WriteTx<S>, who: Who<'_>, body: &LicenceActivate) -> Result<Activated> {
    let mut check = Check::new();
    let name = check.text("provider_name", &body.provider_name, 2..=100);
    check.that(!name.contains(['\n', '\t']), "provider_name", "control_characters", "is one line");
    let slug = check.slug("provider_slug", &body.provider_slug);
    check.done()?;
    let (terms, _) = enforce(tx, &body.licence, who.by).await?;
    let Upgraded { slug: tenant_slug, name: tenant_name, linked } =
        standalone::upgrade(tx, who.provider, who.tenant, who.person, (&name, &slug)).await?;
    tx.subject("provider", who.provider, name.clone());
    tx.changed("provider", who.provider, &json!({ "kind": "standalone" }), &json!({ "kind": "msp", "name": name, "slug": slug }));
    let notice = tell(tx, &who, &name, linked, &terms).await?;
    Ok(Activated {
        provider: NamedProvider { id: who.provider, slug, name },
        tenant: NamedTenant { id: who.tenant, slug: tenant_slug, name: tenant_name },
        notice,
    })
}

async fn tell<S: scope::Control>(
    tx: &mut WriteTx<S>,
    who: &Who<'_>,
    provider: &str,
    linked: Linked,
    terms: &Terms,
) -> Result<Notice> {
    let (now, by) = (tx.now(), who.name.to_owned());
    let facts = Facts { provider: provider.to_owned(), by, linked };
    let text = serde_json::to_string(&facts).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO tenant_notice (tenant_id, kind, at, facts) VALUES (?1, 'licence_activated', ?2, ?3)
         ON CONFLICT (tenant_id, kind) DO UPDATE SET at = excluded.at, facts = excluded.facts",
        params![who.tenant, now, text],
    )
    .await?;
    tx.changed("notice", terms.id, &(), &json!({ "kind": "licence_activated", "linked": linked }));
    let Facts { provider, by, linked } = facts;
    Ok(Notice { kind: NoticeKind::LicenceActivated, at: now, provider, by, linked })
}

/// What the person who asks is to be told in this tenant, unless they have put it away.
pub(crate) async fn notice_of(tx: &mut ReadTx<scope::Records>) -> Result<Option<Notice>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Preferences {
        dismissed: Vec<String>,
    }
    let (tenant, me) = (tx.scope.tenant, tx.me()?.person);
    let row = tx
        .opt(
            "SELECT n.at, n.facts, p.preferences FROM tenant_notice n JOIN person p ON p.id = ?2
             WHERE n.tenant_id = ?1 AND n.kind = 'licence_activated'",
            params![tenant, me],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (at, facts) = (row.take()?, row.json()?);
    let Preferences { dismissed } = row.json::<Preferences>().map_err(|error: StoreError| Error::internal(error))?;
    if dismissed.iter().any(|kind| kind == NoticeKind::LicenceActivated.as_str()) {
        return Ok(None);
    }
    Notice::read(at, facts).map(Some)
}
