use access::{Mask, RelationshipState, TenantState, Tier};
use kernel::paging::Order;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, params, scope};
use uuid::Uuid;

use super::rules::{self, Way};
use super::{Client, ClientCounts, ClientKpis, ClientScan, Group, ScanStatus, Wanted};
use crate::providers::{Link, ProviderName, ceiling};
use crate::relationships::{EXPIRING_US, state_at};
use crate::settings::ACCESS_MODE;

type Tx = ReadTx<scope::Provider>;

/// The end of a relationship that has none.
const NEVER: &str = "9223372036854775807";

/// How far a person sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sees {
    /// All, and acts by the relationship.
    All,
    /// All, but acts above T0 only where assigned.
    AllActsWhereAssigned,
    /// What is assigned.
    Assigned,
}

/// Who looks at the clients of which provider, and when.
pub(crate) struct Eye {
    pub provider: ProviderId,
    pub person: PersonId,
    pub now: Timestamp,
    pub lineage: Vec<Link>,
    pub sees: Sees,
    /// Some clients have another access mode than the provider.
    pub is_mixed: bool,
}

impl Eye {
    pub fn tenants_max(&self) -> Option<i64> {
        self.lineage[0].tenants_max.filter(|_| self.sees != Sees::Assigned)
    }

    /// What the person may do depends on the client's access mode.
    fn minds_modes(&self) -> bool {
        self.is_mixed && self.sees != Sees::Assigned
    }

    /// `FROM … WHERE …` with more tables: the clients that are seen. `r1`, `r2` are the relationships of the providers above, `a` the assignment.
    pub fn from(&self, query: &mut Query, more: &str) {
        query.push(" FROM relationship r JOIN tenant t ON t.id = r.tenant_id LEFT JOIN summary s ON s.tenant_id = t.id");
        query.push(more);
        for (level, link) in self.lineage.iter().enumerate().skip(1) {
            query.push(&format!(" LEFT JOIN relationship r{level} ON r{level}.tenant_id = t.id AND r{level}.provider_id = "));
            query.bind(link.id);
        }
        if self.minds_modes() {
            query.push(" LEFT JOIN setting x ON x.scope_id = r.id AND x.scope_kind = 'client' AND x.key = ").bind(ACCESS_MODE);
        }
        if self.sees != Sees::All || self.is_mixed {
            query.push(if self.sees == Sees::Assigned { " JOIN" } else { " LEFT JOIN" });
            // Several may be held on one client: the highest tier shows, and looking is allowed when one of them includes it.
            query.push(" (SELECT x.tenant_id AS tenant_id, MAX(x.tier) AS tier, MAX(x.mask % 2) AS mask FROM reach_assignment x");
            query.push(" WHERE x.provider_id = ").bind(self.provider).push(" AND x.person_id = ").bind(self.person);
            query.push(" AND x.starts_at <= ").bind(self.now);
            query.push(" AND (x.ends_at IS NULL OR x.ends_at > ").bind(self.now);
            query.push(") GROUP BY x.tenant_id) a ON a.tenant_id = t.id");
        }
        query.push(" WHERE t.state <> 'purged' AND r.provider_id = ").bind(self.provider);
    }

    /// The person's tier: the lowest of everything on the way.
    pub fn tier(&self) -> String {
        let mut tiers = vec!["r.tier".to_owned()];
        tiers.extend((1..self.lineage.len()).map(|level| format!("COALESCE(r{level}.tier, 3)")));
        let acts_everywhere = self.sees == Sees::All;
        if self.minds_modes() {
            let mode = if acts_everywhere { "tiered" } else { "explicit" };
            tiers.push(format!("CASE WHEN COALESCE(x.value, '{mode}') = 'tiered' THEN 3 ELSE COALESCE(a.tier, 0) END"));
        } else if !acts_everywhere {
            tiers.push("COALESCE(a.tier, 0)".to_owned());
        }
        if ceiling(&self.lineage) < Tier::T3 {
            tiers.push(ceiling(&self.lineage).as_i64().to_string());
        }
        lowest(tiers)
    }

    /// The earliest end along the chain.
    fn ends_at(&self) -> String {
        let own = std::iter::once(format!("COALESCE(r.ends_at, {NEVER})"));
        lowest(own.chain((1..self.lineage.len()).map(|level| format!("COALESCE(r{level}.ends_at, {NEVER})"))).collect())
    }

    /// 1 when every provider above stands and has a relationship that stands.
    fn chain_live(&self) -> String {
        if self.lineage.iter().skip(1).any(|link| !link.is_active) {
            return "0".to_owned();
        }
        let above: Vec<_> = (1..self.lineage.len()).map(|level| format!("r{level}.state = 'active'")).collect();
        if above.is_empty() { "1".to_owned() } else { format!("CASE WHEN {} THEN 1 ELSE 0 END", above.join(" AND ")) }
    }

    /// `WITH facts AS (…)`: a row per client with everything that filters, orders and counts, computed once.
    fn facts(&self) -> Query {
        let mask = if self.sees == Sees::Assigned { "a.mask" } else { "15" };
        let mut query = Query::new(&format!(
            "WITH mine AS MATERIALIZED (SELECT t.id AS id, t.slug AS slug, t.name AS name, t.state AS state, p.name AS plan,
                 r.state AS relationship, {ends_at} AS ends_at, {tier} AS tier, {chain_live} AS chain_live,
                 CAST({mask} AS bigint) AS mask, NULLIF(COALESCE(t.seats_max, w.seats_max), -1) AS seats_max,
                 (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled') AS seats,
                 COALESCE(s.critical, 0) AS critical, COALESCE(s.high, 0) AS high, s.score_bp AS score_bp, s.scan_at AS scan_at,
                 CASE WHEN s.scan_at IS NULL THEN 2
                      WHEN s.scan_at + t.scan_interval_days * 86400000000 < ",
            ends_at = self.ends_at(),
            tier = self.tier(),
            chain_live = self.chain_live(),
        ));
        query.bind(self.now).push(" THEN 1 ELSE 0 END AS scan, CASE WHEN t.provider_id = ").bind(self.provider);
        query.push(" THEN 0 ELSE 1 END AS below");
        self.from(
            &mut query,
            " JOIN plan p ON p.id = t.plan_id JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number",
        );
        query.push(
            "), facts AS (SELECT m.*, CASE WHEN m.state = 'active' AND m.seats > m.seats_max THEN 1 ELSE 0 END AS over_limit,
                 CASE WHEN m.state = 'active' AND (m.critical > 0 OR m.scan > 0 OR m.seats > m.seats_max
                      OR (m.relationship = 'active' AND m.ends_at > ",
        );
        query.bind(self.now).push(" AND m.ends_at <= ").bind(self.now.0.saturating_add(EXPIRING_US));
        query.push(")) THEN 1 ELSE 0 END AS attention FROM mine m)");
        query
    }
}

/// Whether the provider decided on another access mode for any client.
pub(super) async fn has_mixed_modes(tx: &mut ReadTx<scope::Provider>) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM setting x JOIN relationship r ON r.id = x.scope_id
         WHERE r.provider_id = ?1 AND x.scope_kind = 'client' AND x.key = ?2 LIMIT 1";
    Ok(tx.opt(sql, params![tx.scope.provider, ACCESS_MODE]).await?.is_some())
}

/// SQL for the lowest of some expressions that are never null.
fn lowest(expressions: Vec<String>) -> String {
    expressions.into_iter().reduce(|a, b| format!("CASE WHEN {a} <= {b} THEN {a} ELSE {b} END")).unwrap_or_else(|| "0".to_owned())
}

fn group_condition(group: Group) -> &'static str {
    match group {
        Group::Attention => "f.attention = 1",
        Group::Stale => "f.state = 'active' AND f.scan = 1",
        Group::Never => "f.state = 'active' AND f.scan = 2",
        Group::OverLimit => "f.over_limit = 1",
        Group::Suspended => "f.state = 'suspended'",
        Group::Archived => "f.state = 'archived'",
        Group::SubProvider => "f.below = 1",
    }
}

/// ` AND …` for what was asked for.
fn narrow(query: &mut Query, wanted: &Wanted) -> Result<()> {
    if let Some(group) = wanted.group {
        query.push(" AND ").push(group_condition(group));
    }
    if !wanted.tiers.is_empty() {
        query.push(" AND f.tier IN (").bind_all(wanted.tiers.iter().map(|tier| tier.as_i64())).push(")");
    }
    if !wanted.plans.is_empty() {
        query.push(" AND f.plan IN (").bind_all(&wanted.plans).push(")");
    }
    if let Some(pattern) = wanted.page.pattern()? {
        query.push(" AND (lower(f.name) LIKE ").bind(&pattern).push(" ESCAPE '\\' OR f.slug LIKE ").bind(&pattern);
        query.push(" ESCAPE '\\')");
    }
    Ok(())
}

/// What needs work comes first: worst score, oldest scan, most failures, most seats. A client without a score comes last both ways.
fn order(wanted: &Wanted) -> Result<Order> {
    const ATTENTION: &str = "(1 - f.attention) * 1000000000000
        + (1000000 - CASE WHEN f.critical < 1000000 THEN f.critical ELSE 1000000 END) * 100000 + COALESCE(f.score_bp, 10001)";
    let sort = wanted.page.sort.as_deref().filter(|sort| !sort.is_empty()).unwrap_or("attention");
    let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    let key = match (name, descending) {
        ("attention", _) => ATTENTION,
        ("name", _) => "lower(f.name)",
        ("score", false) => "COALESCE(f.score_bp, 20000)",
        ("score", true) => "COALESCE(f.score_bp, -1)",
        ("scan", _) => "COALESCE(f.scan_at, 0)",
        ("critical", _) => "0 - f.critical",
        ("seats", _) => "0 - f.seats",
        ("tier", _) => "f.tier",
        _ => return Err(Error::field("sort", "unknown", "sort by one of attention, name, score, scan, critical, seats, tier")),
    };
    Ok(Order { key, descending })
}

/// A page, with counts and key figures of everything before filters.
pub(super) struct Board {
    pub page: Page<Client>,
    pub counts: ClientCounts,
    pub kpis: ClientKpis,
}

/// `, totals AS (…)`: one row.
fn push_totals(query: &mut Query, wanted: &Wanted) -> Result<()> {
    query.push(", totals AS (SELECT CAST(COALESCE(SUM(CASE WHEN 1 = 1");
    narrow(query, wanted)?;
    query.push(" THEN 1 ELSE 0 END), 0) AS bigint) AS n0, COUNT(*) AS n1");
    let groups =
        [Group::Attention, Group::Stale, Group::Never, Group::OverLimit, Group::Suspended, Group::Archived, Group::SubProvider];
    let groups = groups.iter().map(|group| format!("CASE WHEN {} THEN 1 ELSE 0 END", group_condition(*group)));
    let figures = [
        "CASE WHEN f.score_bp IS NOT NULL THEN 1 ELSE 0 END",
        "COALESCE(f.score_bp, 0)",
        "f.critical",
        "CASE WHEN f.critical > 0 THEN 1 ELSE 0 END",
        "f.high",
    ];
    let figures = figures.iter().map(|figure| format!("CASE WHEN f.state = 'active' THEN {figure} ELSE 0 END"));
    for (n, sum) in (2..).zip(groups.chain(figures)) {
        query.push(&format!(", CAST(COALESCE(SUM({sum}), 0) AS bigint) AS n{n}"));
    }
    query.push(" FROM facts f)");
    Ok(())
}

fn totals(row: &mut Row) -> Result<(i64, ClientCounts, ClientKpis), StoreError> {
    let total = row.take()?;
    let counts = ClientCounts {
        all: row.take()?,
        attention: row.take()?,
        stale: row.take()?,
        never: row.take()?,
        over_limit: row.take()?,
        suspended: row.take()?,
        archived: row.take()?,
        sub_provider: row.take()?,
    };
    let (scored, score_sum): (i64, i64) = (row.take()?, row.take()?);
    let kpis = ClientKpis {
        average_score: mean(score_sum, scored),
        average_delta: None,
        critical: row.take()?,
        critical_clients: row.take()?,
        high: row.take()?,
        stale: counts.stale,
        never: counts.never,
        clients: counts.all,
        clients_max: None,
    };
    Ok((total, counts, kpis))
}

/// The mean of hundredths of a percent, as percent.
fn mean(sum: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| rules::percent((2 * sum + count).div_euclid(2 * count)))
}

/// The mean delta of active clients.
pub(super) async fn average_delta(tx: &mut Tx, eye: &Eye) -> Result<Option<f64>> {
    let mut query = Query::new("SELECT s.score_bp, s.trend");
    eye.from(&mut query, "");
    query.push(" AND t.state = 'active' AND s.score_bp IS NOT NULL");
    let today = rules::day_of(eye.now);
    let (mut sum, mut count) = (0, 0);
    for mut row in tx.query(&query).await? {
        let (score, trend): (i64, String) = (row.take()?, row.take()?);
        if let Some(delta) = rules::delta(Some(score), &trend, today) {
            sum += delta;
            count += 1;
        }
    }
    Ok(mean(sum, count))
}

/// The page and the totals in one query, so that the facts are gathered once. It orders and cuts the lean rows first, and reads the
/// rest of those that are left. The totals stand on every row, and on one without a client when there is none.
pub(super) async fn board(tx: &mut Tx, eye: &Eye, wanted: &Wanted) -> Result<Board> {
    let (order, limit) = (order(wanted)?, wanted.page.limit()?);
    let mut query = eye.facts();
    push_totals(&mut query, wanted)?;
    query.push(&format!(", c AS (SELECT f.*, {} AS sort_key FROM facts f WHERE 1 = 1", order.key));
    narrow(&mut query, wanted)?;
    wanted.page.apply(&mut query, order, "f.id")?;
    let direction = if order.descending { "DESC" } else { "ASC" };
    query.push(&format!(
        ") SELECT n.*, c.id, c.slug, c.name, t.industry, c.plan, c.state, c.tier, c.relationship, c.ends_at, c.chain_live, c.mask,
                 h.id, h.name, c.score_bp, COALESCE(s.passed, 0), COALESCE(s.failed, 0), COALESCE(s.overridden, 0),
                 COALESCE(s.trend, '[]'), c.scan, c.scan_at, c.critical, c.high, c.seats, c.seats_max, c.attention, c.sort_key, c.id
          FROM totals n LEFT JOIN c ON 1 = 1 LEFT JOIN tenant t ON t.id = c.id LEFT JOIN provider h ON h.id = t.provider_id
          LEFT JOIN summary s ON s.tenant_id = c.id
          ORDER BY c.sort_key {direction}, c.id {direction}"
    ));
    let (mut clients, mut last) = (Vec::new(), None);
    for mut row in tx.query(&query).await? {
        last = Some(totals(&mut row)?);
        if let Some(id) = row.take()? {
            clients.push(client(id, row, eye)?);
        }
    }
    let (total, counts, kpis) = last.ok_or_else(|| Error::internal("an aggregate always has a row"))?;
    Ok(Board { page: Page::cut(clients, limit, order, total), counts, kpis })
}

fn client(id: TenantId, mut row: Row, eye: &Eye) -> Result<(Client, Value, Uuid), StoreError> {
    let today = rules::day_of(eye.now);
    let (slug, name) = (row.take()?, row.take()?);
    let (industry, plan): (String, String) = (row.take()?, row.take()?);
    let state: TenantState = row.parse()?;
    let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
    let relationship: RelationshipState = row.parse()?;
    let ends_at = Some(row.take::<i64>()?).filter(|at| *at < i64::MAX).map(Timestamp);
    let chain_live = row.take::<i64>()? == 1;
    let mask = Mask::from_bits(u8::try_from(row.take::<i64>()?).unwrap_or_default());
    let holder = ProviderName { id: row.take()?, name: row.take()? };
    let score: Option<i64> = row.take()?;
    let (passed, failed, overridden) = (row.take()?, row.take()?, row.take()?);
    let trend: String = row.take()?;
    let status = match row.take::<i64>()? {
        0 => ScanStatus::Current,
        1 => ScanStatus::Stale,
        _ => ScanStatus::Never,
    };
    let scan = ClientScan { status, at: row.take()? };
    let (critical, high) = (row.take()?, row.take()?);
    let way = Way { tenant: state, relationship, ends_at, chain_live, may_view: mask.view };
    let client = Client {
        id,
        slug,
        name,
        industry: Some(industry).filter(|text| !text.is_empty()),
        plan: Some(plan),
        state,
        tier,
        relationship_state: state_at(relationship, ends_at, eye.now),
        via: Some(holder).filter(|holder| holder.id != eye.provider),
        score: score.map(rules::percent),
        passed,
        failed,
        overridden,
        trend: rules::daily(&trend, today),
        delta: rules::delta(score, &trend, today).map(rules::percent),
        scan,
        critical,
        high,
        seats: rules::seats(row.take()?, row.take()?),
        attention: row.take::<i64>()? == 1,
        enter: rules::enter(&way, eye.now),
        onboarding: None,
    };
    Ok((client, row.take()?, row.take()?))
}
