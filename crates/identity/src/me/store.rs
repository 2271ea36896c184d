//! The rows that make a person.

use kernel::brand::BrandId;
use kernel::door::fresh_until;
use kernel::ids::SessionId;
use kernel::rules::{SignInRules, SignedIn};
use kernel::store::StoreError;
use kernel::{Error, PersonId, ReadTx, Result, WriteTx, params, scope};

use super::{MeBrand, MePerson, MeProvider, MeSession, MeTenant};

pub(super) async fn person<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<MePerson> {
    let row = tx
        .opt(
            "SELECT p.id, p.email, p.name, p.locale, p.totp_secret IS NOT NULL,
                    (SELECT COUNT(*) FROM recovery_code c WHERE c.person_id = p.id AND c.used_at IS NULL), p.preferences, p.version
             FROM person p WHERE p.id = ?1",
            params![person],
        )
        .await?;
    let mut row = row.ok_or(Error::NotSignedIn)?;
    Ok(MePerson {
        id: row.take()?,
        email: row.take()?,
        name: row.take()?,
        locale: row.take()?,
        second_factor: row.take()?,
        recovery_codes_left: row.take()?,
        preferences: row.json()?,
        version: row.take()?,
    })
}

/// Providers where the person is enabled, with the clients that the provider's dashboard shows them: all, or those assigned.
pub(super) async fn providers<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Vec<MeProvider>> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT v.id, v.slug, v.name, s.role,
                    (SELECT COUNT(*) FROM relationship r JOIN tenant t ON t.id = r.tenant_id
                     WHERE r.provider_id = v.id AND t.state <> 'purged'
                       AND (s.role = 'provider_admin'
                            OR EXISTS (SELECT 1 FROM reach_assignment a WHERE a.person_id = s.person_id AND a.tenant_id = t.id
                                       AND a.provider_id = v.id AND a.starts_at <= ?2 AND (a.ends_at IS NULL OR a.ends_at > ?2))))
             FROM staff s JOIN provider v ON v.id = s.provider_id
             WHERE s.person_id = ?1 AND s.state = 'active' ORDER BY lower(v.name), v.id LIMIT 200",
            params![person, now],
        )
        .await?;
    let read = rows.into_iter().map(|mut row| {
        Ok(MeProvider { id: row.take()?, slug: row.take()?, name: row.take()?, role: row.take()?, client_count: row.take()? })
    });
    Ok(read.collect::<Result<_, StoreError>>()?)
}

pub(super) async fn tenants<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Vec<MeTenant>> {
    let rows = tx
        .rows(
            "SELECT t.id, t.slug, t.name, m.role, t.state FROM member m JOIN tenant t ON t.id = m.tenant_id
             WHERE m.person_id = ?1 AND m.state = 'active'
               AND (t.state IN ('active', 'suspended') OR t.state = 'archived' AND m.role = 'admin')
             ORDER BY lower(t.name), t.id LIMIT 1000",
            params![person],
        )
        .await?;
    let read = rows.into_iter().map(|mut row| {
        Ok(MeTenant { id: row.take()?, slug: row.take()?, name: row.take()?, role: row.take()?, state: row.take()? })
    });
    Ok(read.collect::<Result<_, StoreError>>()?)
}

/// Whether the installation is for one organisation, without a provider.
pub(super) async fn is_standalone<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<bool> {
    Ok(tx.opt("SELECT 1 FROM provider WHERE kind = 'standalone'", &[]).await?.is_some())
}

pub(super) async fn session<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId, session: SessionId) -> Result<MeSession> {
    let row = tx
        .opt(
            "SELECT s.id, s.expires_at, s.idle_expires_at, s.second_factor_at, s.stepped_up_at, p.totp_secret IS NOT NULL,
                    COALESCE(p.password_set_at, p.created_at), s.brand_id, s.brand_version
             FROM session s JOIN person p ON p.id = s.person_id WHERE s.id = ?1 AND s.person_id = ?2",
            params![session, person],
        )
        .await?;
    let mut row = row.ok_or(Error::NotSignedIn)?;
    let (id, expires_at, idle_expires_at) = (row.take()?, row.take()?, row.take()?);
    let (second_factor_at, stepped_up_at) = (row.take()?, row.take()?);
    let (has_second_factor, password_set_at) = (row.take()?, row.take()?);
    let (brand, version): (Option<BrandId>, Option<i64>) = (row.take()?, row.take()?);
    let rules = SignInRules::of_person(tx, person).await?;
    let who = SignedIn { has_second_factor, second_factor_at, stepped_up_at, password_set_at };
    Ok(MeSession {
        id,
        expires_at,
        idle_expires_at,
        second_factor_at,
        stepped_up_at,
        fresh_until: fresh_until(second_factor_at, stepped_up_at),
        missing: rules.lack(&who, tx.now()),
        password_until: rules.password_until(password_set_at),
        second_factor_until: rules.second_factor_until(second_factor_at.max(stepped_up_at)).filter(|_| has_second_factor),
        brand: brand.zip(version).map(|(id, version)| MeBrand { id, version }),
    })
}

pub(super) async fn update(tx: &mut WriteTx<scope::Own>, after: &MePerson) -> Result<()> {
    let person = tx.scope.person;
    let preferences = serde_json::to_string(&after.preferences).map_err(Error::internal)?;
    tx.execute(
        "UPDATE person SET name = ?2, locale = ?3, preferences = ?4, version = version + 1 WHERE id = ?1",
        params![person, after.name.as_str(), after.locale.as_str(), preferences],
    )
    .await?;
    Ok(())
}
