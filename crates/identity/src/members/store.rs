//! Rows of members and of their invitations.

use access::TenantRole;
use kernel::door::FanRows;
use kernel::paging::Order;
use kernel::secrets::token_hash;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, params, scope};
use serde::Deserialize;

use super::{Member, MemberId, MemberInvitation, MemberPerson, MemberState, decides_on_itself, deciding_roles};
use crate::invitations::{InvitationId, InvitationState, LIFE_DAYS};

/// Which members to list. Sorts: name, role, created, last_seen.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MemberQuery {
    /// Part of a name or e-mail address.
    pub q: Option<String>,
    /// Roles, separated by commas.
    pub role: Option<String>,
    /// active or disabled.
    pub state: Option<String>,
    /// Name of the order; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

const COLUMNS: &str = "SELECT m.id, p.id, p.name, p.email, m.role, m.state, p.totp_secret IS NOT NULL, p.last_seen_at, m.version,
                              m.created_at, p.state = 'active'";

/// Makes other acts on this organisation's members wait for this one.
pub(super) async fn hold(tx: &mut WriteTx<scope::Records>) -> Result<()> {
    let tenant = tx.scope.tenant;
    tx.execute("UPDATE tenant SET version = version WHERE id = ?1", params![tenant]).await?;
    Ok(())
}

/// Active members whose role decides on itself: the last one is protected.
async fn count_deciding(tx: &mut ReadTx<scope::Records>) -> Result<i64> {
    let mut query = Query::new("SELECT COUNT(*) FROM member m JOIN person p ON p.id = m.person_id WHERE m.tenant_id = ");
    query.bind(tx.scope.tenant).push(" AND m.state = 'active' AND p.state = 'active' AND m.role IN (");
    query.bind_all(deciding_roles()).push(")");
    Ok(tx.one(&query.sql, &query.params).await?.take()?)
}

impl MemberQuery {
    pub(super) fn page(&self) -> PageQuery {
        let Self { q, sort, cursor, limit, .. } = self.clone();
        PageQuery { q, sort, cursor, limit }
    }
}

pub(super) async fn page(tx: &mut ReadTx<scope::Records>, wanted: &MemberQuery) -> Result<Page<Member>> {
    let page = wanted.page();
    let order = page.order(ORDERS)?;
    let (total, rows) = rows(tx, wanted, &page, order).await?;
    Ok(Page::cut(rows, page.limit()?, order, total))
}

const ORDERS: &[(&str, &str)] =
    &[("name", "lower(p.name)"), ("role", "m.role"), ("created", "m.created_at"), ("last_seen", "COALESCE(p.last_seen_at, 0)")];

/// The order by name, and those that are numbers: for lists over many organisations.
pub(super) fn wide_order(page: &PageQuery) -> Result<Order> {
    page.order(&[("name", "lower(p.name)"), ("created", "m.created_at"), ("last_seen", "COALESCE(p.last_seen_at, 0)")])
}

/// How many members fit, and those of a page and one more, with key and id.
pub(super) async fn rows(
    tx: &mut ReadTx<scope::Records>,
    wanted: &MemberQuery,
    page: &PageQuery,
    order: Order,
) -> Result<FanRows<Member>> {
    let roles: Vec<TenantRole> = words("role", wanted.role.as_deref())?;
    let states: Vec<MemberState> = words("state", wanted.state.as_deref())?;
    let (tenant, pattern) = (tx.scope.tenant, page.pattern()?);
    let filter = |query: &mut Query| {
        query.push(" FROM member m JOIN person p ON p.id = m.person_id WHERE m.tenant_id = ").bind(tenant);
        query.and_like("p.name || ' ' || p.email", pattern.as_deref());
        if !roles.is_empty() {
            query.push(" AND m.role IN (").bind_all(roles.iter().map(|role| role.as_str())).push(")");
        }
        if !states.is_empty() {
            query.push(" AND m.state IN (").bind_all(states.iter().map(|state| state.as_str())).push(")");
        }
    };
    let mut count = Query::new("SELECT COUNT(*)");
    filter(&mut count);
    let total: i64 = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(COLUMNS);
    query.push(", ").push(order.key).push(", m.id");
    filter(&mut query);
    page.apply(&mut query, order, "m.id")?;
    let (me, deciding) = (tx.me()?.person, count_deciding(tx).await?);
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let member = read(&mut row, me, deciding)?;
        Ok((member, row.take()?, row.take()?))
    });
    let rows: Vec<(Member, Value, _)> = rows.collect::<Result<_, StoreError>>()?;
    Ok((total, rows))
}

fn words<T: std::str::FromStr>(field: &str, text: Option<&str>) -> Result<Vec<T>> {
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let parse = |word: &str| {
        word.parse().map_err(|_| {
            Error::field(field, "unknown", format!("{} is not one", word.escape_default().take(40).collect::<String>()))
        })
    };
    words.map(parse).collect()
}

fn read(row: &mut Row, me: PersonId, deciding: i64) -> Result<Member, StoreError> {
    let id = row.take()?;
    let person = MemberPerson { id: row.take()?, name: row.take()?, email: row.take()? };
    let (role, state) = (row.parse()?, row.parse()?);
    let is_me = person.id == me;
    let mut member = Member {
        id,
        person,
        role,
        state,
        second_factor: row.take()?,
        last_seen_at: row.take()?,
        protected: false,
        is_me,
        version: row.take()?,
        created_at: row.take()?,
    };
    let person_is_active: bool = row.take()?;
    member.protected = deciding == 1 && decides_on_itself(role) && state == MemberState::Active && person_is_active;
    Ok(member)
}

pub(super) async fn find(tx: &mut ReadTx<scope::Records>, id: MemberId) -> Result<Option<Member>> {
    let (tenant, me) = (tx.scope.tenant, tx.me()?.person);
    let sql = format!("{COLUMNS} FROM member m JOIN person p ON p.id = m.person_id WHERE m.tenant_id = ?1 AND m.id = ?2");
    let Some(mut row) = tx.opt(&sql, params![tenant, id]).await? else { return Ok(None) };
    let deciding = count_deciding(tx).await?;
    Ok(Some(read(&mut row, me, deciding)?))
}

/// Writes role and state, if either is another.
pub(super) async fn update(tx: &mut WriteTx<scope::Records>, before: &Member, role: TenantRole, state: MemberState) -> Result<()> {
    if (before.role, before.state) == (role, state) {
        return Ok(());
    }
    let tenant = tx.scope.tenant;
    tx.execute(
        "UPDATE member SET role = ?3, state = ?4, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
        params![tenant, before.id, role.as_str(), state.as_str()],
    )
    .await?;
    Ok(())
}

pub(super) async fn remove(tx: &mut WriteTx<scope::Records>, id: MemberId) -> Result<()> {
    let tenant = tx.scope.tenant;
    tx.execute("DELETE FROM member WHERE tenant_id = ?1 AND id = ?2", params![tenant, id]).await?;
    Ok(())
}

pub(super) async fn is_member(tx: &mut ReadTx<scope::Records>, email: &str) -> Result<bool> {
    let tenant = tx.scope.tenant;
    let sql = "SELECT m.id FROM member m JOIN person p ON p.id = m.person_id WHERE m.tenant_id = ?1 AND p.email = ?2";
    Ok(tx.opt(sql, params![tenant, email]).await?.is_some())
}

/// Takes back the open invitations of an address to this organisation.
pub(super) async fn void_invitations(tx: &mut WriteTx<scope::Records>, email: &str) -> Result<()> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    tx.execute(
        "UPDATE invitation SET revoked_at = ?3 WHERE tenant_id = ?1 AND email = ?2 AND accepted_at IS NULL AND revoked_at IS NULL",
        params![tenant, email, now],
    )
    .await?;
    Ok(())
}

pub(super) async fn insert_invitation(
    tx: &mut WriteTx<scope::Records>,
    id: InvitationId,
    token: &str,
    email: &str,
    role: TenantRole,
) -> Result<()> {
    let (tenant, now, me) = (tx.scope.tenant, tx.now(), tx.me()?.person);
    tx.execute(
        "INSERT INTO invitation (id, token_hash, tenant_id, email, role, invited_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![id, token_hash(token), tenant, email, role.as_str(), me, now, now.plus_days(LIFE_DAYS)],
    )
    .await?;
    Ok(())
}

/// The language of who invites, and the account that an address has, if it has one.
pub(super) async fn reader(tx: &mut ReadTx<scope::Records>, email: &str) -> Result<(String, Option<PersonId>)> {
    let me = tx.me()?.person;
    let locale = tx.one("SELECT locale FROM person WHERE id = ?1", params![me]).await?.take()?;
    let known = tx.opt("SELECT id FROM person WHERE email = ?1", params![email]).await?;
    Ok((locale, known.map(|mut row| row.take()).transpose()?))
}

/// Address, role, end and state of an invitation to this organisation.
pub(super) async fn invitation(
    tx: &mut ReadTx<scope::Records>,
    id: InvitationId,
) -> Result<Option<(String, TenantRole, Timestamp, InvitationState)>> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    let sql = "SELECT email, role, expires_at, accepted_at, revoked_at FROM invitation WHERE tenant_id = ?1 AND id = ?2";
    let Some(mut row) = tx.opt(sql, params![tenant, id]).await? else { return Ok(None) };
    let (email, role, expires_at) = (row.take()?, row.parse()?, row.take()?);
    let state = InvitationState::of(row.take()?, row.take()?, expires_at, now);
    Ok(Some((email, role, expires_at, state)))
}

/// Takes an invitation back unless it was used meanwhile.
pub(super) async fn revoke_invitation(tx: &mut WriteTx<scope::Records>, id: InvitationId) -> Result<bool> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    let revoked = tx
        .execute(
            "UPDATE invitation SET revoked_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND accepted_at IS NULL AND revoked_at IS NULL",
            params![tenant, id, now],
        )
        .await?;
    Ok(revoked == 1)
}

/// Invitations to this organisation. Staff who invited are shown as their provider shows its staff to tenants.
pub(super) async fn invitations(tx: &mut ReadTx<scope::Records>, page: &PageQuery) -> Result<Page<MemberInvitation>> {
    let order = page.order(&[("-created", "i.created_at"), ("email", "i.email"), ("expires", "i.expires_at")])?;
    let (tenant, now, pattern) = (tx.scope.tenant, tx.now(), page.pattern()?);
    let filter = |query: &mut Query| {
        query.push(" WHERE i.tenant_id = ").bind(tenant).and_like("i.email", pattern.as_deref());
    };
    let mut count = Query::new("SELECT COUNT(*) FROM invitation i");
    filter(&mut count);
    let total: i64 = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(
        "SELECT i.id, i.email, i.role, CASE WHEN m.id IS NOT NULL OR v.staff_shown = 'by_name' THEN p.name ELSE v.name END,
                i.created_at, i.expires_at, i.accepted_at, i.revoked_at, ",
    );
    query.push(order.key).push(
        ", i.id FROM invitation i JOIN person p ON p.id = i.invited_by JOIN tenant t ON t.id = i.tenant_id
         JOIN provider v ON v.id = t.provider_id LEFT JOIN member m ON m.tenant_id = i.tenant_id AND m.person_id = i.invited_by",
    );
    filter(&mut query);
    page.apply(&mut query, order, "i.id")?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let (id, email, role, invited_by) = (row.take()?, row.take()?, row.parse()?, row.take()?);
        let (created_at, expires_at) = (row.take()?, row.take()?);
        let state = InvitationState::of(row.take()?, row.take()?, expires_at, now);
        let invitation = MemberInvitation { id, email, role, invited_by, created_at, expires_at, state };
        Ok((invitation, row.take()?, row.take()?))
    });
    let rows: Vec<(MemberInvitation, Value, _)> = rows.collect::<Result<_, StoreError>>()?;
    Ok(Page::cut(rows, page.limit()?, order, total))
}
