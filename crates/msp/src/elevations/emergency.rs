//! Breaking the glass: the operator of the installation lets one person of the provider in, for a short while, past a freeze. Where the
//! configuration does not allow it, nobody can. It stands in the tenant's ledger and the provider's before it works.

use access::{Act, Modules, Subject, Tier};
use kernel::store::StoreError;
use kernel::validate::Check;
use kernel::{Error, Hub, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, params, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ElevationId;

/// Longest that the glass stays broken.
const MINUTES_MAX: i64 = 240;
/// What such an elevation is called.
const NAME: &str = "Opened by the operator";

/// Whom to let in where, how far, for how long, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BreakGlass {
    /// Tenant, by id or slug.
    pub tenant: String,
    /// Staff of a provider with a relationship there, by id or e-mail.
    pub person: String,
    /// Up to which tier; the relationship's counts too.
    pub tier: Tier,
    /// 1 to 240.
    pub minutes: i64,
    /// At least 10 characters; the tenant and the provider read it.
    pub reason: String,
}

/// What was opened.
#[derive(Debug, Clone, Serialize)]
pub struct Opened {
    /// The elevation.
    pub elevation: ElevationId,
    /// Whom it lets in.
    pub person: String,
    /// Where.
    pub tenant: String,
    /// Until when.
    pub ends_at: Timestamp,
}

/// Opens a tenant to one of its provider's people.
///
/// # Errors
/// `Invalid` with every wrong field; `Conflict` when even this would let them do nothing there.
pub async fn break_glass(hub: &Hub, asked: &BreakGlass) -> Result<Opened> {
    let mut tx = hub.system_write("elevation.break_glass", "the operator breaks the glass").await?;
    let mut check = Check::new();
    let reason = check.text("reason", &asked.reason, 10..=1_000);
    check.that((1..=MINUTES_MAX).contains(&asked.minutes), "minutes", "out_of_range", "must be between 1 and 240");
    check.that(asked.tier > Tier::T0, "tier", "too_low", "T1, T2 or T3: a summary is no emergency");
    let found = find(&mut tx, asked).await?;
    check.that(found.is_some(), "person", "unknown", "works for no provider that has a relationship with this tenant");
    check.done()?;
    let Some(found) = found else { return Err(Error::internal("checked above")) };
    let (id, now) = (ElevationId::new(tx.now()), tx.now());
    let ends_at = Timestamp(now.0 + asked.minutes * 60_000_000);
    tx.execute(
        "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_name, tier, modules, minutes, approver, reason, break_glass,
            state, requested_at, lapses_at, starts_at, ends_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'operator', ?9, ?10, 'approved', ?11, ?12, ?11, ?12)",
        params![
            id,
            found.provider,
            found.tenant,
            found.person,
            NAME,
            asked.tier.as_i64(),
            i64::from(Modules::ALL.bits()),
            asked.minutes,
            reason.as_str(),
            true,
            now,
            ends_at
        ],
    )
    .await?;
    let stands = tx.stands_anywhere(&found.tenant.to_string(), Some(found.person)).await?;
    let stand = stands.and_then(|stands| stands.of(found.person)).ok_or(Error::NotFound)?;
    let view = stand.explain(hub, Act::ContextView, Subject::Any);
    if !view.allowed {
        return Err(Error::Conflict(format!("Even this lets {} do nothing there: {}", stand.name, view.why)));
    }
    tx.subject("elevation", id, format!("{} on {}", stand.name, found.tenant_name)).reason(&reason);
    let kept = json!({"person": {"id": found.person, "name": stand.name}, "tier": asked.tier, "minutes": asked.minutes, "ends_at": ends_at});
    tx.changed("elevation", id, &(), &kept).in_ledger_of(found.provider).also_in(found.tenant);
    tx.commit().await?;
    Ok(Opened { elevation: id, person: stand.name, tenant: found.tenant_name, ends_at })
}

struct Found {
    tenant: TenantId,
    tenant_name: String,
    provider: ProviderId,
    person: PersonId,
}

async fn find(tx: &mut ReadTx<scope::Public>, asked: &BreakGlass) -> Result<Option<Found>, StoreError> {
    let mut query = kernel::store::Query::new(
        "SELECT t.id, t.name, s.provider_id, p.id FROM tenant t JOIN relationship r ON r.tenant_id = t.id
         JOIN staff s ON s.provider_id = r.provider_id AND s.state = 'active' JOIN person p ON p.id = s.person_id
         WHERE t.state <> 'purged' AND r.state <> 'ended'",
    );
    query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", &asked.tenant);
    query.and_named::<kernel::ids::Person>("p.id", "p.email", &asked.person.trim().to_lowercase());
    // The provider that holds the tenant itself, where somebody works for one above it as well.
    query.push(" ORDER BY CASE WHEN s.provider_id = t.provider_id THEN 0 ELSE 1 END LIMIT 1");
    let Some(mut row) = tx.query(&query).await?.pop() else { return Ok(None) };
    Ok(Some(Found { tenant: row.take()?, tenant_name: row.take()?, provider: row.take()?, person: row.take()? }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;
    use serde_json::json;
    use testkit::{Engine, TestHub, person};

    use super::*;

    fn asked(who: &str, tenant: &str) -> BreakGlass {
        let reason = "ransomware, their admins cannot be reached".to_owned();
        BreakGlass { tenant: tenant.into(), person: person(who).to_string(), tier: Tier::T3, minutes: 30, reason }
    }

    #[rstest]
    #[tokio::test(flavor = "multi_thread")]
    async fn the_operator_lets_one_person_past_a_freeze_for_a_while(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
        let hub = TestHub::start(engine, crate::router()).await;
        for who in ["t3", "priya"] {
            hub.get(who, "/tenants/frost/context").await.expect(403);
        }
        let opened = break_glass(&hub.hub, &asked("t3", "frost")).await.unwrap();
        let inside = hub.get("t3", "/tenants/frost/context").await.expect(200).json;
        assert_eq!(inside["me"]["elevations"][0]["break_glass"], true);
        hub.get("priya", "/tenants/frost/context").await.expect(403);
        let own = hub.tenant_ledger("frost").await;
        let told = own.iter().find(|e| e["action"] == "elevation.break_glass").unwrap();
        assert_eq!((&told["outcome"], &told["actor"]["kind"]), (&json!("done"), &json!("system")));
        assert!(told["reason"].as_str().unwrap().contains("ransomware"));
        assert_eq!(hub.control_ledger().await.iter().filter(|e| e["action"] == "elevation.break_glass").count(), 1);
        hub.advance(Duration::from_micros((opened.ends_at.0 - hub.hub.now().0 - 1).unsigned_abs()));
        hub.get("t3", "/tenants/frost/context").await.expect(200);
        hub.advance(Duration::from_micros(1));
        hub.get("t3", "/tenants/frost/context").await.expect(403);
        hub.verify_tenant_ledger("frost").await;
    }

    #[rstest]
    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_no_way_around_anything_but_a_freeze_and_a_removal(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
        let hub = TestHub::start(engine, crate::router()).await;
        for (who, tenant) in [("carla", "frost"), ("viewer", "acme"), ("t2", "nowhere")] {
            let error = break_glass(&hub.hub, &asked(who, tenant)).await.unwrap_err();
            assert!(matches!(&error, Error::Invalid(fields) if fields.len() == 1 && fields[0].field == "person"), "{error}");
        }
        let mut wrong = asked("t2", "frost");
        (wrong.minutes, wrong.reason, wrong.tier) = (241, "because".into(), Tier::T0);
        assert!(matches!(break_glass(&hub.hub, &wrong).await.unwrap_err(), Error::Invalid(fields) if fields.len() == 3));
        // Above the relationship's tier nothing opens, and what is suspended stays so.
        let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
        tx.execute("UPDATE relationship SET tier = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'frost')", &[])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        break_glass(&hub.hub, &asked("tech_none", "frost")).await.unwrap();
        let can = hub.get("tech_none", "/tenants/frost/context").await.expect(200).json["can"].clone();
        assert_eq!((&can["finding.list"]["allowed"], &can["override.create"]["allowed"]), (&json!(true), &json!(false)));
        break_glass(&hub.hub, &asked("t2", "sable")).await.unwrap();
        let can = hub.get("t2", "/tenants/sable/context").await.expect(200).json["can"].clone();
        assert_eq!(can["override.create"]["allowed"], false);
    }
}
