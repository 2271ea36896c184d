//! SQL of elevations. Everything is of the transaction's side: its provider, or its tenant.

use std::str::FromStr as _;

use access::{Act, Modules, StaffRole, TenantRole, Tier};
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde_json::json;

use super::request::WAITS;
use super::side::Side;
use super::{ElevationId, ElevationOf, ElevationState, Wanted};
use crate::assignments::AssignedTenant;
use crate::elevation_templates::store::{actions_of, actions_text, modules_of, tier_of};
use crate::elevation_templates::{Approver, ElevationTemplate, ElevationTemplateId};
use crate::providers::ProviderName;

/// A person, with their name now.
type Who = (PersonId, String);

/// An elevation as stored, with everybody's names.
pub(super) struct Stored {
    pub id: ElevationId,
    pub tenant: AssignedTenant,
    pub provider: ProviderName,
    /// The provider shows its staff to tenants by name.
    pub staff_by_name: bool,
    pub person: Who,
    /// The person's role on the staff; none once they left.
    pub role: Option<String>,
    pub template: ElevationOf,
    pub tier: Option<Tier>,
    pub actions: Vec<Act>,
    pub modules: Modules,
    pub minutes: i64,
    pub approver: Approver,
    pub reason: String,
    pub ticket: Option<String>,
    state: String,
    pub requested_at: Timestamp,
    pub lapses_at: Timestamp,
    pub provider_approval: Option<(Who, Timestamp)>,
    pub tenant_approval: Option<(Who, Timestamp)>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub closed_by: Option<Who>,
    /// Who closed it is a member of the tenant.
    pub closed_by_member: bool,
    pub closed_at: Option<Timestamp>,
    pub decision_reason: String,
    pub break_glass: bool,
    pub version: i64,
}

/// What becomes of an elevation.
pub(super) struct Change {
    pub state: &'static str,
    pub provider: Option<(PersonId, Timestamp)>,
    pub tenant: Option<(PersonId, Timestamp)>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub closed: Option<(PersonId, Timestamp)>,
    /// What was said to it; none leaves what was said before.
    pub reason: Option<String>,
}

/// A request about to be stored, with the template's terms.
pub(super) struct New<'a> {
    pub id: ElevationId,
    pub tenant: TenantId,
    pub template: &'a ElevationTemplate,
    pub minutes: i64,
    pub reason: &'a str,
    pub ticket: &'a str,
}

impl Stored {
    /// How far it has come at this instant.
    pub fn state(&self, now: Timestamp) -> ElevationState {
        match self.state.as_str() {
            "denied" => ElevationState::Denied,
            "cancelled" => ElevationState::Cancelled,
            "requested" if now < self.lapses_at => ElevationState::Requested,
            "requested" => ElevationState::Lapsed,
            _ if self.ends_at.is_some_and(|end| now < end) => ElevationState::Running,
            _ => ElevationState::Ended,
        }
    }

    /// What people call it. Says nothing of who asked: tenants may see staff by role only.
    pub fn label(&self) -> String {
        format!("{} on {}", self.template.name, self.tenant.name)
    }

    /// As the ledgers keep it. Whoever reads a tenant's ledger without the right to staff names is not shown `person`.
    pub fn kept(&self, now: Timestamp) -> serde_json::Value {
        json!({
            "person": {"id": self.person.0, "name": self.person.1}, "tier": self.tier, "actions": self.actions,
            "modules": self.modules, "minutes": self.minutes, "approver": self.approver, "ticket": self.ticket,
            "state": self.state(now), "provider_approved_at": self.provider_approval.as_ref().map(|(_, at)| at),
            "tenant_approved_at": self.tenant_approval.as_ref().map(|(_, at)| at), "starts_at": self.starts_at,
            "ends_at": self.ends_at,
        })
    }
}

impl Change {
    /// None.
    pub fn of(e: &Stored) -> Self {
        let given = |approval: &Option<(Who, Timestamp)>| approval.as_ref().map(|((by, _), at)| (*by, *at));
        Self {
            state: if e.starts_at.is_some() { "approved" } else { "requested" },
            provider: given(&e.provider_approval),
            tenant: given(&e.tenant_approval),
            starts_at: e.starts_at,
            ends_at: e.ends_at,
            closed: e.closed_by.as_ref().map(|(by, _)| *by).zip(e.closed_at),
            reason: None,
        }
    }
}

const COLUMNS: &str =
    "e.id, t.id, t.slug, t.name, v.id, v.name, v.staff_shown, p.id, p.name, s.role, e.template_id, e.template_name,
     e.tier, e.actions, e.modules, e.minutes, e.approver, e.reason, e.ticket, e.state, e.requested_at, e.lapses_at,
     pb.id, pb.name, e.provider_at, tb.id, tb.name, e.tenant_at, e.starts_at, e.ends_at, cb.id, cb.name, cm.id IS NOT NULL,
     e.closed_at, e.decision_reason, e.break_glass, e.version";
const FROM: &str = " FROM elevation e JOIN tenant t ON t.id = e.tenant_id JOIN provider v ON v.id = e.provider_id
     JOIN person p ON p.id = e.person_id LEFT JOIN staff s ON s.provider_id = e.provider_id AND s.person_id = e.person_id
     LEFT JOIN person pb ON pb.id = e.provider_by LEFT JOIN person tb ON tb.id = e.tenant_by
     LEFT JOIN person cb ON cb.id = e.closed_by
     LEFT JOIN member cm ON cm.tenant_id = e.tenant_id AND cm.person_id = e.closed_by WHERE ";

fn who(row: &mut Row) -> Result<Option<Who>, StoreError> {
    let (id, name): (Option<PersonId>, Option<String>) = (row.take()?, row.take()?);
    Ok(id.zip(name))
}

fn approval(row: &mut Row) -> Result<Option<(Who, Timestamp)>, StoreError> {
    let (by, at): (_, Option<Timestamp>) = (who(row)?, row.take()?);
    Ok(by.zip(at))
}

fn stored(row: &mut Row) -> Result<Stored, StoreError> {
    let id = row.take()?;
    let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
    let provider = ProviderName { id: row.take()?, name: row.take()? };
    let staff_by_name = row.take::<String>()? == "by_name";
    let person = (row.take()?, row.take()?);
    let role = row.take()?;
    let template = ElevationOf { id: row.take()?, name: row.take()? };
    let (tier, actions, modules, minutes) = (tier_of(row)?, actions_of(row)?, modules_of(row)?, row.take()?);
    let (approver, reason, ticket): (_, _, String) = (row.parse()?, row.take()?, row.take()?);
    let (state, requested_at, lapses_at) = (row.take()?, row.take()?, row.take()?);
    let (provider_approval, tenant_approval) = (approval(row)?, approval(row)?);
    let (starts_at, ends_at) = (row.take()?, row.take()?);
    let (closed_by, closed_by_member) = (who(row)?, row.take()?);
    Ok(Stored {
        id,
        tenant,
        provider,
        staff_by_name,
        person,
        role,
        template,
        tier,
        actions,
        modules,
        minutes,
        approver,
        reason,
        ticket: Some(ticket).filter(|ticket| !ticket.is_empty()),
        state,
        requested_at,
        lapses_at,
        provider_approval,
        tenant_approval,
        starts_at,
        ends_at,
        closed_by,
        closed_by_member,
        closed_at: row.take()?,
        decision_reason: row.take()?,
        break_glass: row.take()?,
        version: row.take()?,
    })
}

fn filtered<S: Side>(tx: &ReadTx<S>, select: &str, pattern: Option<&str>, wanted: &Wanted) -> Query {
    let now = tx.now();
    let mut query = Query::new(select);
    query.push(FROM).push(S::COLUMN).push(" = ").bind(tx.scope.id());
    query.and_like(S::SEARCHED, pattern);
    and_states(&mut query, &wanted.states, now);
    if let Some(waiting) = wanted.waiting_for_tenant {
        query.push(if waiting { " AND (" } else { " AND NOT (" });
        query.push("e.state = 'requested' AND e.approver IN ('tenant', 'both') AND e.tenant_at IS NULL AND e.lapses_at > ");
        query.bind(now).push(")");
    }
    if let Some(person) = wanted.person {
        query.push(" AND e.person_id = ").bind(person);
    }
    if let Some(name) = &wanted.tenant {
        query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", name);
    }
    if let Some((from, to)) = wanted.asked {
        query.push(" AND e.requested_at >= ").bind(from).push(" AND e.requested_at < ").bind(to);
    }
    query
}

/// The same states as [`Stored::state`], in SQL.
fn and_states(query: &mut Query, states: &[ElevationState], now: Timestamp) {
    let mut joint = " AND (";
    for state in states {
        query.push(joint);
        match state {
            ElevationState::Requested => query.push("(e.state = 'requested' AND e.lapses_at > ").bind(now).push(")"),
            ElevationState::Lapsed => query.push("(e.state = 'requested' AND e.lapses_at <= ").bind(now).push(")"),
            ElevationState::Running => query.push("(e.state = 'approved' AND e.ends_at > ").bind(now).push(")"),
            ElevationState::Ended => query.push("(e.state = 'approved' AND e.ends_at <= ").bind(now).push(")"),
            ElevationState::Denied => query.push("e.state = 'denied'"),
            ElevationState::Cancelled => query.push("e.state = 'cancelled'"),
        };
        joint = " OR ";
    }
    if !states.is_empty() {
        query.push(")");
    }
}

pub(super) async fn count<S: Side>(tx: &mut ReadTx<S>, wanted: &Wanted) -> Result<i64> {
    let query = filtered(tx, "SELECT COUNT(*)", None, wanted);
    Ok(tx.one(&query.sql, &query.params).await?.take()?)
}

pub(super) async fn page<S: Side>(tx: &mut ReadTx<S>, page: &PageQuery, wanted: &Wanted) -> Result<Page<Stored>> {
    let order = page.order(&[
        ("-requested", "e.requested_at"),
        ("ends", "COALESCE(e.ends_at, 0)"),
        ("tenant", "lower(t.name)"),
        // Of staff that a tenant sees by role this would tell the order of their names.
        ("person", "lower(CASE WHEN v.staff_shown = 'by_name' THEN p.name ELSE v.name END)"),
    ])?;
    let pattern = page.pattern()?;
    let total = {
        let query = filtered(tx, "SELECT COUNT(*)", pattern.as_deref(), wanted);
        tx.one(&query.sql, &query.params).await?.take()?
    };
    let mut rows = filtered(tx, &format!("SELECT {COLUMNS}, {}, e.id", order.key), pattern.as_deref(), wanted);
    page.apply(&mut rows, order, "e.id")?;
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        items.push((stored(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn one<S: Side>(tx: &mut ReadTx<S>, id: ElevationId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS}{FROM}{} = ?1 AND e.id = ?2", S::COLUMN);
    let row = tx.opt(&sql, params![tx.scope.id(), id]).await?;
    Ok(row.map(|mut row| stored(&mut row)).transpose()?)
}

/// Takes an elevation's row until the commit, so that acts on it come one after the other. Changes nothing.
pub(super) async fn take<S: Side>(tx: &mut WriteTx<S>, id: ElevationId) -> Result<()> {
    let (side, column) = (tx.scope.id(), S::COLUMN.trim_start_matches("e."));
    tx.execute(&format!("UPDATE elevation SET version = version WHERE {column} = ?1 AND id = ?2"), params![side, id]).await?;
    Ok(())
}

/// What somebody waits for or holds on this side; some of it may be over by time.
pub(super) async fn open_of<S: Side>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Vec<ElevationId>> {
    let now = tx.now();
    let mut query = Query::new("SELECT e.id FROM elevation e WHERE ");
    query.push(S::COLUMN).push(" = ").bind(tx.scope.id()).push(" AND e.person_id = ").bind(person);
    query.push(" AND (e.state = 'requested' OR e.state = 'approved' AND e.ends_at > ").bind(now).push(") ORDER BY e.id");
    Ok(tx.query(&query).await?.into_iter().map(|mut row| row.take()).collect::<Result<_, StoreError>>()?)
}

/// Whether the person who asks waits for an answer to the same already.
pub(super) async fn is_waiting(tx: &mut ReadTx<scope::Provider>, tenant: TenantId, template: ElevationTemplateId) -> Result<bool> {
    let (provider, me, now) = (tx.scope.provider, tx.me()?.person, tx.now());
    let row = tx
        .opt(
            "SELECT id FROM elevation WHERE provider_id = ?1 AND tenant_id = ?2 AND person_id = ?3 AND template_id = ?4
             AND state = 'requested' AND lapses_at > ?5",
            params![provider, tenant, me, template, now],
        )
        .await?;
    Ok(row.is_some())
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Provider>, new: New<'_>) -> Result<()> {
    let (provider, me, now) = (tx.scope.provider, tx.me()?.person, tx.now());
    let template = new.template;
    tx.execute(
        "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_id, template_name, tier, actions, modules, minutes,
                                approver, reason, ticket, state, requested_at, lapses_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'requested', ?14, ?15)",
        params![
            new.id,
            provider,
            new.tenant,
            me,
            template.id,
            template.name.as_str(),
            template.tier.map_or(0, Tier::as_i64),
            actions_text(&template.actions)?,
            i64::from(template.modules.bits()),
            new.minutes,
            template.approver.as_str(),
            new.reason,
            new.ticket,
            now,
            now.after(WAITS)
        ],
    )
    .await?;
    Ok(())
}

/// Writes what becomes of an elevation, if it is still what it was.
pub(super) async fn change<S: Side>(tx: &mut WriteTx<S>, before: &Stored, change: Change) -> Result<()> {
    let column = S::COLUMN.trim_start_matches("e.");
    let changed = tx
        .execute(
            &format!(
                "UPDATE elevation SET state = ?3, provider_by = ?4, provider_at = ?5, tenant_by = ?6, tenant_at = ?7, starts_at = ?8,
                        ends_at = ?9, closed_by = ?10, closed_at = ?11, decision_reason = ?12, version = version + 1
                 WHERE {column} = ?1 AND id = ?2 AND state = ?13 AND version = ?14"
            ),
            params![
                tx.scope.id(),
                before.id,
                change.state,
                change.provider.map(|(by, _)| by),
                change.provider.map(|(_, at)| at),
                change.tenant.map(|(by, _)| by),
                change.tenant.map(|(_, at)| at),
                change.starts_at,
                change.ends_at,
                change.closed.map(|(by, _)| by),
                change.closed.map(|(_, at)| at),
                change.reason.as_deref().unwrap_or(&before.decision_reason),
                before.state.as_str(),
                before.version
            ],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Conflict("Somebody else has decided on this meanwhile. Look again.".into())) }
}

/// Whether somebody who approved could still do so: for the provider as its staff, for the tenant as its member.
pub(super) async fn may_still_approve<S: Side>(
    tx: &mut ReadTx<S>,
    e: &Stored,
    person: PersonId,
    for_provider: bool,
) -> Result<bool> {
    const ACTIVE: &str = "SELECT h.role FROM person p JOIN {} h ON h.person_id = p.id
         WHERE p.id = ?1 AND p.state = 'active' AND h.state = 'active' AND ";
    let (sql, place) = if for_provider {
        (ACTIVE.replace("{}", "staff") + "h.provider_id = ?2", e.provider.id.uuid())
    } else {
        (ACTIVE.replace("{}", "member") + "h.tenant_id = ?2", e.tenant.id.uuid())
    };
    let Some(mut row) = tx.opt(&sql, params![person, place]).await? else { return Ok(false) };
    let role: String = row.take()?;
    Ok(if for_provider {
        StaffRole::from_str(&role).is_ok_and(|role| Act::ElevationApprove.info().staff.contains(&role))
    } else {
        TenantRole::from_str(&role).is_ok_and(|role| Act::AccessRequestApprove.info().roles.contains(&role))
    })
}
