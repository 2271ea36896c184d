//! SQL of brands and their pictures.

use kernel::brand::{BrandId, BrandImage, BrandSupport};
use kernel::news::Of;
use kernel::store::{Query, StoreError};
use kernel::{Error, ProviderId, ReadTx, Result, TenantId, WriteTx, params, scope};

use super::{AssetKind, Own, OwnColours, Picture, TenantBranding};

/// A provider as a layer.
pub(super) struct ProviderRow {
    pub id: ProviderId,
    pub parent: Option<ProviderId>,
    pub name: String,
    pub version: i64,
    pub rule: TenantBranding,
    /// It stands for the installation of one organisation, which has no provider: nobody sees its name.
    pub is_standalone: bool,
}

/// What a layer has of its own.
#[derive(Default)]
pub(super) struct Stored {
    pub own: Own,
    /// 0: it never had anything.
    pub version: i64,
}

pub(super) async fn provider<S: scope::Control>(tx: &mut ReadTx<S>, id: ProviderId) -> Result<Option<ProviderRow>, StoreError> {
    let sql = "SELECT parent_id, name, version, tenant_branding, kind FROM provider WHERE id = ?1";
    let Some(mut row) = tx.opt(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(ProviderRow {
        id,
        parent: row.take()?,
        name: row.take()?,
        version: row.take()?,
        rule: row.parse()?,
        is_standalone: row.take::<String>()? == "standalone",
    }))
}

/// The provider that holds a tenant which is in use, and the tenant's name: it shows itself nowhere once it is archived.
pub(super) async fn holder<S: scope::Control>(
    tx: &mut ReadTx<S>,
    tenant: TenantId,
) -> Result<Option<(ProviderId, String)>, StoreError> {
    let sql = "SELECT provider_id, name FROM tenant WHERE id = ?1 AND state IN ('active', 'suspended')";
    tx.opt(sql, params![tenant]).await?.map(|mut row| Ok((row.take()?, row.take()?))).transpose()
}

/// Whose brand shows where nothing says whose: the one top-level provider's, on an installation of one organisation that one's, else the
/// installation's own.
pub(super) async fn default_place<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Of, StoreError> {
    let mut rows = tx.rows("SELECT id, kind FROM provider WHERE parent_id IS NULL ORDER BY id LIMIT 2", &[]).await?;
    let (Some(mut row), true) = (rows.pop(), rows.is_empty()) else { return Ok(Of::Installation) };
    let (provider, kind): (ProviderId, String) = (row.take()?, row.take()?);
    if kind != "standalone" {
        return Ok(Of::Provider(provider));
    }
    let sql = "SELECT id FROM tenant WHERE provider_id = ?1 AND state IN ('active', 'suspended') ORDER BY id LIMIT 1";
    let tenant: Option<TenantId> = tx.opt(sql, params![provider]).await?.map(|mut row| row.take()).transpose()?;
    Ok(tenant.map_or(Of::Provider(provider), Of::Tenant))
}

/// What these layers have of their own, by id.
pub(super) async fn layers<S: scope::Control>(tx: &mut ReadTx<S>, ids: &[BrandId]) -> Result<Vec<(BrandId, Stored)>, StoreError> {
    let mut query = Query::new(
        "SELECT id, name, colour, accent, logo_light, logo_dark, favicon, support_label, support_url, email_footer, sign_in_text, version
         FROM brand WHERE id IN (",
    );
    query.bind_all(ids.iter().copied()).push(")");
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let (id, name) = (row.take()?, row.take()?);
        let colours = OwnColours { brand: row.take()?, accent: row.take()? };
        let (logo_light, logo_dark, favicon) = (row.take()?, row.take()?, row.take()?);
        let (label, url): (Option<String>, Option<String>) = (row.take()?, row.take()?);
        let support = label.zip(url).map(|(label, url)| BrandSupport { label, url });
        let own =
            Own { name, colours, logo_light, logo_dark, favicon, support, email_footer: row.take()?, sign_in_text: row.take()? };
        Ok((id, Stored { own, version: row.take()? }))
    });
    rows.collect()
}

/// Keeps what a layer has of its own, if it is still as it was read.
pub(super) async fn keep<S: scope::Control>(tx: &mut WriteTx<S>, of: Of, own: &Own, version: i64) -> Result<()> {
    let (provider, tenant) = match of {
        Of::Installation => (None, None),
        Of::Provider(provider) => (Some(provider), None),
        Of::Tenant(tenant) => (None, Some(tenant)),
    };
    let id = super::id_of(of);
    let (label, url) = own.support.as_ref().map(|support| (support.label.clone(), support.url.clone())).unzip();
    // The first change makes the row; whoever read "none yet" then meets its version.
    let kept = tx
        .execute(
            "INSERT INTO brand (id, provider_id, tenant_id, name, colour, accent, logo_light, logo_dark, favicon, support_label,
                                support_url, email_footer, sign_in_text, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?15)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, colour = excluded.colour, accent = excluded.accent,
                logo_light = excluded.logo_light, logo_dark = excluded.logo_dark, favicon = excluded.favicon,
                support_label = excluded.support_label, support_url = excluded.support_url, email_footer = excluded.email_footer,
                sign_in_text = excluded.sign_in_text, version = excluded.version WHERE brand.version = ?14",
            params![
                id,
                provider,
                tenant,
                own.name.clone(),
                own.colours.brand.clone(),
                own.colours.accent.clone(),
                own.logo_light.clone(),
                own.logo_dark.clone(),
                own.favicon.clone(),
                label,
                url,
                own.email_footer.clone(),
                own.sign_in_text.clone(),
                version,
                version + 1,
            ],
        )
        .await?;
    if kept == 1 { Ok(()) } else { Err(Error::Changed) }
}

/// Whether a layer has this picture, of this kind.
pub(super) async fn has_asset<S: scope::Control>(
    tx: &mut ReadTx<S>,
    of: Of,
    kind: AssetKind,
    id: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM brand_asset WHERE id = ?1 AND brand_id = ?2 AND kind = ?3";
    Ok(tx.opt(sql, params![id, super::id_of(of), kind.as_str()]).await?.is_some())
}

pub(super) async fn keep_asset<S: scope::Control>(
    tx: &mut WriteTx<S>,
    of: Of,
    id: &str,
    picture: Picture,
) -> Result<(), StoreError> {
    let tenant = if let Of::Tenant(tenant) = of { Some(tenant) } else { None };
    let now = tx.now();
    tx.execute(
        "INSERT INTO brand_asset (id, brand_id, tenant_id, kind, media, width, height, bytes, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at",
        params![
            id,
            super::id_of(of),
            tenant,
            picture.kind.as_str(),
            picture.media,
            picture.width,
            picture.height,
            picture.bytes,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Removes a layer's pictures that nothing shows, but for the newest.
pub(super) async fn sweep_assets<S: scope::Control>(tx: &mut WriteTx<S>, of: Of, keep: u32) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM brand_asset WHERE brand_id = ?1 AND id NOT IN
            (SELECT a.id FROM brand_asset a WHERE a.brand_id = ?1 ORDER BY a.created_at DESC, a.id LIMIT ?2)
         AND NOT EXISTS (SELECT 1 FROM brand b WHERE b.id = brand_asset.brand_id
                         AND (b.logo_light = brand_asset.id OR b.logo_dark = brand_asset.id OR b.favicon = brand_asset.id))",
        params![super::id_of(of), keep],
    )
    .await?;
    Ok(())
}

/// A picture, unless it is a tenant's that is no longer in use.
pub(super) async fn image<S: scope::Control>(tx: &mut ReadTx<S>, id: &str) -> Result<Option<BrandImage>, StoreError> {
    let row = tx
        .opt(
            "SELECT a.media, a.bytes FROM brand_asset a WHERE a.id = ?1 AND (a.tenant_id IS NULL OR EXISTS
                (SELECT 1 FROM tenant t WHERE t.id = a.tenant_id AND t.state IN ('active', 'suspended')))",
            params![id],
        )
        .await?;
    row.map(|mut row| Ok(BrandImage { media: row.take()?, bytes: row.take()? })).transpose()
}

/// Where an open invitation leads.
pub(super) async fn invited_to(tx: &mut ReadTx<scope::Public>, token: &str) -> Result<Option<Of>, StoreError> {
    let now = tx.now();
    let row = tx
        .opt(
            "SELECT provider_id, tenant_id FROM invitation
             WHERE token_hash = ?1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?2",
            params![kernel::secrets::token_hash(token), now],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (provider, tenant): (Option<ProviderId>, Option<TenantId>) = (row.take()?, row.take()?);
    Ok(tenant.map(Of::Tenant).or(provider.map(Of::Provider)))
}
