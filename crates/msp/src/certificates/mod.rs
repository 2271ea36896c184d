//! Certificates of destruction: what a purge leaves in the hands of the provider, and of the organisation that is gone.
//!
//! - A purge drafts its certificate in its own commit. When the database is gone too, the installation signs it: until then there is none
//!   to have. An interruption between the two changes nothing but the time.
//! - It names the organisation, who purged it and when, the last signed head of its ledger, and what was removed. It is checked without
//!   the hub (`tenantry-ledger certificate FILE`).
//! - The provider that purged and the one that held the organisation have it; nobody else.
//!
//! It deliberately does not: destroy anything, or say what became of backups that lie elsewhere.

mod http;
mod store;
#[cfg(test)]
mod tests;

use ::ledger::{Certificate, Party, Removed, Statement};
pub(crate) use http::router;
use kernel::door::Signer;
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

kernel::kinds! {
    /// A certificate of destruction.
    CertificateKind CertificateId "crt";
}

/// What every certificate says of backups.
const BACKUPS: &str = "Backups made before the purge may still hold this organisation's database. What was sealed in it with its data key \
                       can be read by nobody any more; the rest goes when those backups are deleted.";

/// Which certificates to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CertificateQuery {
    /// Part of the organisation's name.
    pub q: Option<String>,
    /// `purged` or `name`; a leading `-` turns it round. The newest first when left out.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// A certificate in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CertificateRow {
    /// Its id.
    pub id: CertificateId,
    /// The organisation that was purged.
    pub tenant: TenantId,
    /// Its name at the time.
    pub name: String,
    /// Who purged it.
    pub by: String,
    /// When.
    pub purged_at: Timestamp,
    /// When its database was gone too, and the certificate was signed; `null` until then.
    pub completed_at: Option<Timestamp>,
}

/// An organisation that is about to be purged.
pub(crate) struct Doomed {
    pub(crate) name: String,
    slug: String,
    provider: String,
    holder: kernel::ProviderId,
}

/// What a purge takes, as counted by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub members: u64,
    pub assignments: u64,
    pub invitations: u64,
    pub relationships: u64,
}

/// What is to be known of an organisation while it has a name.
pub(crate) async fn doomed(tx: &mut ReadTx<scope::Client>) -> Result<Doomed> {
    store::doomed(tx).await?.ok_or(Error::NotFound)
}

/// Drafts the certificate in the commit of the purge. `second`: the other of the two persons that it takes, who asked for it.
pub(crate) async fn draft(tx: &mut WriteTx<scope::Client>, doomed: Doomed, taken: Taken, second: Party) -> Result<CertificateId> {
    let (id, now) = (CertificateId::new(tx.now()), tx.now());
    let by = tx.me().map(|me| Party { id: me.person.to_string(), name: me.name.clone() })?;
    let statement = Statement {
        id: id.to_string(),
        tenant: tx.scope.tenant.to_string(),
        name: doomed.name,
        slug: doomed.slug,
        provider: Party { id: tx.scope.provider.to_string(), name: doomed.provider },
        purged_at: now.to_string(),
        completed_at: String::new(),
        by,
        second: Some(second),
        ledger: None,
        data_key_destroyed: true,
        removed: Removed {
            files: None,
            members: taken.members,
            assignments: taken.assignments,
            invitations: taken.invitations,
            relationships: taken.relationships,
        },
        backups: BACKUPS.into(),
    };
    store::insert(tx, id, doomed.holder, &statement).await?;
    Ok(id)
}

/// Signs the draft of a tenant whose database is gone: `files` of it, none when nobody counted. Does nothing without a draft.
pub(crate) async fn complete(
    tx: &mut WriteTx<scope::Public>,
    signer: &Signer,
    tenant: TenantId,
    head: Option<::ledger::Checkpoint>,
    files: Option<u64>,
) -> Result<()> {
    let Some((id, mut statement)) = store::draft_of(tx, tenant).await? else { return Ok(()) };
    statement.completed_at = signer.at().to_string();
    statement.ledger = head;
    statement.removed.files = files;
    let certificate = signer.certify(statement);
    store::complete(tx, id, signer.at(), &certificate).await?;
    Ok(())
}

/// The certificates of a provider's purges, and of purges of what it held.
///
/// # Errors
/// `Invalid` page.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: CertificateQuery) -> Result<Page<CertificateRow>> {
    let page = PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit };
    store::list(tx, &page).await
}

/// One certificate, with the keys that it takes to check it.
///
/// # Errors
/// `NotFound`; `Conflict` while the database is not gone yet.
pub async fn view(tx: &mut ReadTx<scope::Provider>, id: CertificateId) -> Result<Certificate> {
    let stored = store::view(tx, id).await?.ok_or(Error::NotFound)?;
    let Some((key_id, signature)) = stored.signed else {
        let text =
            "The database of this organisation is still being removed; its certificate is signed after that. Try again later.";
        return Err(Error::Conflict(text.into()));
    };
    let hub = tx.hub().clone();
    Ok(Certificate::of(stored.statement, key_id, signature, hub.signing_keys().await?))
}
