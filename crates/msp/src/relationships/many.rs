//! Relationships over all clients: which end soon, and renewing many at once.

use std::collections::HashMap;

use access::{RelationshipState, Tier};
use kernel::clock::DAY_US;
use kernel::store::{Query, StoreError, Value};
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Consent, ENDS_DAYS_MAX, EXPIRING_DAYS, GrantBy, RelationshipId, is_later, renewal_label, state_at};
use crate::assignments::AssignedTenant;
use crate::consents::{self, Between, Wanted};

/// Tenants in one request.
const MANY_MAX: usize = 500;
/// Stands for no end where rows are sorted by it.
const NEVER: &str = "9223372036854775807";

/// Which relationships to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RelationshipQuery {
    /// Part of the client's name or slug.
    pub q: Option<String>,
    /// `ends_at`, `name` or `tier`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// `active`, `expiring`, `expired`, `frozen`, `requested` or `ended`, comma separated; without it all but the ended.
    pub state: Option<String>,
}

/// A relationship among those with all clients.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Expiring {
    /// The client.
    pub tenant: AssignedTenant,
    /// Its id.
    pub id: RelationshipId,
    /// Its own tier.
    pub tier: Tier,
    /// Where in its life it is now.
    pub state: RelationshipState,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
    /// Whole days until then; negative once it has expired.
    pub days_left: Option<i64>,
    /// The last warning given: 30, 7 or 1 days.
    pub warned_days: Option<i64>,
    /// What needs whose word.
    #[serde(flatten)]
    pub consent: Consent,
    /// A renewal waits for the client's word.
    pub pending_renewal: bool,
}

/// The provider's relationships.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: RelationshipQuery) -> Result<Page<Expiring>> {
    let RelationshipQuery { q, sort, cursor, limit, state } = query;
    let page = PageQuery { q, sort, cursor, limit };
    let order =
        page.order(&[("ends_at", "COALESCE(r.ends_at, 9223372036854775807)"), ("name", "lower(t.name)"), ("tier", "r.tier")])?;
    let (pattern, now, states) = (page.pattern()?, tx.now(), states(state.as_deref())?);
    let provider = tx.scope.provider;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM relationship r JOIN tenant t ON t.id = r.tenant_id WHERE t.state <> 'purged' AND r.provider_id = ");
        query.bind(provider).and_like("t.name || ' ' || t.slug", pattern.as_deref());
        query.push(" AND (");
        for (i, state) in states.iter().enumerate() {
            query.push(if i > 0 { " OR (" } else { "(" });
            push_state(&mut query, *state, now);
            query.push(")");
        }
        query.push(")");
        query
    };
    let mut rows = filtered(&format!(
        "SELECT t.id, t.slug, t.name, r.id, r.tier, r.state, r.ends_at, r.warned_days, r.raise_by, r.assign_by, r.renew_by,
            (SELECT COUNT(*) FROM consent c WHERE c.tenant_id = t.id AND c.provider_id = r.provider_id
                AND c.kind = 'renewal' AND c.state = 'pending'), {}, r.id",
        order.key
    ));
    page.apply(&mut rows, order, "r.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        let (id, tier) = (row.take()?, Tier::from_i64(row.take()?).unwrap_or(Tier::T0));
        let (stored, ends_at): (RelationshipState, Option<Timestamp>) = (row.parse()?, row.take()?);
        let item = Expiring {
            tenant,
            id,
            tier,
            state: state_at(stored, ends_at, now),
            ends_at,
            days_left: ends_at.map(|end| (end.0 - now.0).div_euclid(DAY_US)),
            warned_days: row.take()?,
            consent: Consent::read(&mut row)?,
            pending_renewal: row.take::<i64>()? > 0,
        };
        items.push((item, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

fn states(list: Option<&str>) -> Result<Vec<RelationshipState>> {
    let words =
        list.unwrap_or("active,expiring,expired,frozen,requested").split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| Error::field("state", "unknown", format!("{word} is no state")))).collect()
}

/// The stored state and end that make this state now.
fn push_state(query: &mut Query, state: RelationshipState, now: Timestamp) {
    let soon = now.plus_days(EXPIRING_DAYS);
    match state {
        RelationshipState::Active => {
            query.push(&format!("r.state = 'active' AND COALESCE(r.ends_at, {NEVER}) > ")).bind(soon);
        }
        RelationshipState::Expiring => {
            query.push("r.state = 'active' AND r.ends_at > ").bind(now).push(" AND r.ends_at <= ").bind(soon);
        }
        RelationshipState::Expired => {
            query.push("r.state = 'active' AND r.ends_at <= ").bind(now);
        }
        stored => {
            query.push("r.state = ").bind(stored.as_str());
        }
    }
}

/// Which relationships to renew, until when.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Renewal {
    /// Clients, by id or slug; 1 to 500.
    pub tenants: Vec<String>,
    /// Their new end; `null`: none.
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Option<Timestamp>,
}

/// What became of each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Renewals {
    /// In the order asked for.
    pub results: Vec<RenewalResult>,
}

/// What became of one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RenewalResult {
    /// As it was named in the request.
    pub asked: String,
    /// The client, if it is one.
    pub tenant: Option<AssignedTenant>,
    /// `renewed`, `waiting` (for the client's consent) or `failed`.
    pub outcome: &'static str,
    /// Why it failed, or what it waits for.
    pub detail: String,
}

/// Renews many relationships at once, expired ones too. Each for itself: one that cannot be renewed stops none of the others.
///
/// # Errors
/// `Invalid` when nothing can be done at all.
pub async fn renew(tx: &mut WriteTx<scope::Provider>, body: Renewal) -> Result<Renewals> {
    let mut check = Check::new();
    let count = body.tenants.len();
    check.that((1..=MANY_MAX).contains(&count), "tenants", "out_of_range", "name 1 to 500 clients");
    if let Some(end) = body.ends_at {
        check.future("ends_at", end, tx.now(), ENDS_DAYS_MAX);
    }
    check.done()?;
    let known = known(tx, &body.tenants).await?;
    tx.subject("relationship", format!("{count} clients"), renewal_label(body.ends_at));
    let mut results = Vec::with_capacity(count);
    let mut done = std::collections::HashSet::new();
    for asked in body.tenants {
        let Some(found) = known.get(&asked) else {
            results.push(RenewalResult { asked, tenant: None, outcome: "failed", detail: "There is no such client.".into() });
            continue;
        };
        let (outcome, detail) = if done.insert(found.tenant.id) {
            renew_one(tx, found, body.ends_at).await?
        } else {
            ("failed", "It is named twice.".to_owned())
        };
        results.push(RenewalResult { asked, tenant: Some(found.tenant.clone()), outcome, detail });
    }
    Ok(Renewals { results })
}

struct Known {
    tenant: AssignedTenant,
    id: RelationshipId,
    state: RelationshipState,
    ends_at: Option<Timestamp>,
    consent: Consent,
}

async fn renew_one(tx: &mut WriteTx<scope::Provider>, one: &Known, ends_at: Option<Timestamp>) -> Result<(&'static str, String)> {
    if one.state == RelationshipState::Ended {
        return Ok(("failed", "This relationship has ended. Ask the organisation to agree to a new one.".into()));
    }
    if one.state == RelationshipState::Requested {
        return Ok(("failed", "This organisation has not agreed to the relationship yet.".into()));
    }
    let between = Between { tenant: one.tenant.id, provider: tx.scope.provider };
    let waits = one.consent.renew_by == GrantBy::TenantConsent
        && is_later(ends_at, one.ends_at)
        && consents::has_active_admin(tx, one.tenant.id).await?;
    if waits {
        let asked = consents::ask(tx, between, &Wanted::Renewal { ends_at }, renewal_label(ends_at)).await?;
        tx.changed_in(one.tenant.id, "consent", asked.id, &(), &json!({ "asked": asked.label, "ends_at": ends_at }));
        return Ok(("waiting", "Waits for the client's consent.".into()));
    }
    let provider = tx.scope.provider;
    tx.execute(
        "UPDATE relationship SET ends_at = ?3, warned_days = NULL, version = version + 1
         WHERE provider_id = ?1 AND tenant_id = ?2 AND state <> 'ended'",
        params![provider, one.tenant.id, ends_at],
    )
    .await?;
    tx.changed_in(one.tenant.id, "relationship", one.id, &json!({ "ends_at": one.ends_at }), &json!({ "ends_at": ends_at }));
    Ok(("renewed", String::new()))
}

/// The provider's relationships with the tenants of these names, by the name asked for.
async fn known(tx: &mut ReadTx<scope::Provider>, names: &[String]) -> Result<HashMap<String, Known>, StoreError> {
    let ids = names.iter().filter_map(|name| name.parse::<TenantId>().ok());
    let mut query = Query::new(
        "SELECT t.id, t.slug, t.name, r.id, r.state, r.ends_at, r.raise_by, r.assign_by, r.renew_by
         FROM relationship r JOIN tenant t ON t.id = r.tenant_id WHERE t.state <> 'purged' AND r.provider_id = ",
    );
    query.bind(tx.scope.provider).push(" AND (t.slug IN (").bind_all(names.iter().map(String::as_str));
    query.push(") OR t.id IN (").bind_all(ids).push("))");
    let mut known = HashMap::new();
    for mut row in tx.query(&query).await? {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        let id = row.take()?;
        let (state, ends_at) = (row.parse()?, row.take()?);
        let consent = Consent::read(&mut row)?;
        for name in names.iter().filter(|name| **name == tenant.slug || **name == tenant.id.to_string()) {
            known.insert(name.clone(), Known { tenant: tenant.clone(), id, state, ends_at, consent });
        }
    }
    Ok(known)
}
