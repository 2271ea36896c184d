//! Rows of sessions.

use kernel::ids::SessionId;
use kernel::secrets::token_hash;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, WriteTx, params, scope};

use super::{HALF_LIFE, IDLE, Kind, LIFE, Origin, Session};

pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: SessionId,
    token: &str,
    person: PersonId,
    kind: Kind,
    from: &Origin,
) -> Result<()> {
    let now = tx.now();
    let (state, idle, life, second_factor_at) = match kind {
        Kind::Half => ("half", HALF_LIFE, HALF_LIFE, None),
        Kind::Full { second_factor_at } => ("full", IDLE, LIFE, second_factor_at),
    };
    tx.execute(
        "INSERT INTO session (id, token_hash, person_id, state, created_at, last_seen_at, idle_expires_at, expires_at,
                              second_factor_at, address, user_agent, password_at, brand_id, brand_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?5, ?11, ?12)",
        params![
            id,
            token_hash(token),
            person,
            state,
            now,
            now.after(idle),
            now.after(life),
            second_factor_at,
            from.address.as_str(),
            from.user_agent.as_str(),
            from.brand.as_ref().map(|brand| brand.id),
            from.brand.as_ref().map(|brand| brand.version),
        ],
    )
    .await?;
    Ok(())
}

/// Removes what a new session of the person leaves without use: those that ended by themselves, and the one it replaces.
pub(super) async fn sweep<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId, replaced: Option<SessionId>) -> Result<()> {
    let now = tx.now();
    tx.execute("DELETE FROM session WHERE person_id = ?1 AND (expires_at <= ?2 OR idle_expires_at <= ?2)", params![person, now])
        .await?;
    if let Some(replaced) = replaced {
        tx.execute("DELETE FROM session WHERE id = ?1", params![replaced]).await?;
    }
    Ok(())
}

pub(super) async fn has_second_factor(tx: &mut ReadTx<scope::Own>) -> Result<bool> {
    let person = tx.scope.person;
    let row = tx.opt("SELECT totp_secret IS NOT NULL FROM person WHERE id = ?1", params![person]).await?;
    Ok(row.ok_or(Error::NotSignedIn)?.take()?)
}

pub(super) async fn recovery_codes_left(tx: &mut ReadTx<scope::Own>) -> Result<i64> {
    let person = tx.scope.person;
    let sql = "SELECT COUNT(*) FROM recovery_code WHERE person_id = ?1 AND used_at IS NULL";
    Ok(tx.one(sql, params![person]).await?.take()?)
}

/// Notes in a session that its person has just proved again that it is them.
pub(super) async fn freshen(tx: &mut WriteTx<scope::Own>, session: SessionId) -> Result<()> {
    let (person, now) = (tx.scope.person, tx.now());
    let sql = "UPDATE session SET stepped_up_at = ?3 WHERE id = ?1 AND person_id = ?2 AND state = 'full' AND expires_at > ?3";
    if tx.execute(sql, params![session, person, now]).await? == 1 { Ok(()) } else { Err(Error::NotSignedIn) }
}

/// Notes in a session that its person has just given their password.
pub(super) async fn note_password(tx: &mut WriteTx<scope::Own>, session: SessionId) -> Result<()> {
    let (person, now) = (tx.scope.person, tx.now());
    let sql = "UPDATE session SET password_at = ?3 WHERE id = ?1 AND person_id = ?2 AND state = 'full' AND expires_at > ?3";
    if tx.execute(sql, params![session, person, now]).await? == 1 { Ok(()) } else { Err(Error::NotSignedIn) }
}

pub(super) async fn end(tx: &mut WriteTx<scope::Own>, session: SessionId) -> Result<bool> {
    let person = tx.scope.person;
    Ok(tx.execute("DELETE FROM session WHERE id = ?1 AND person_id = ?2", params![session, person]).await? == 1)
}

/// Answers how many of them still lived.
pub(super) async fn end_others(tx: &mut WriteTx<scope::Own>, current: SessionId) -> Result<u64> {
    let (person, now) = (tx.scope.person, tx.now());
    tx.execute("DELETE FROM session WHERE person_id = ?1 AND (expires_at <= ?2 OR idle_expires_at <= ?2)", params![person, now])
        .await?;
    Ok(tx.execute("DELETE FROM session WHERE person_id = ?1 AND id <> ?2", params![person, current]).await?)
}

pub(super) async fn page(tx: &mut ReadTx<scope::Own>, page: &PageQuery) -> Result<Page<Session>> {
    let (person, now, current) = (tx.scope.person, tx.now(), tx.me()?.session);
    let order = page.order(&[("-last_seen", "s.last_seen_at"), ("created", "s.created_at")])?;
    let pattern = page.pattern()?;
    let filter = |query: &mut Query| {
        query.push(" FROM session s WHERE s.state = 'full' AND s.person_id = ").bind(person);
        query.push(" AND s.expires_at > ").bind(now).push(" AND s.idle_expires_at > ").bind(now);
        query.and_like("s.address || ' ' || s.user_agent", pattern.as_deref());
    };
    let mut count = Query::new("SELECT COUNT(*)");
    filter(&mut count);
    let total: i64 = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(
        "SELECT s.id, s.created_at, s.last_seen_at, s.expires_at, s.address, s.user_agent, s.second_factor_at IS NOT NULL, ",
    );
    query.push(order.key).push(", s.id");
    filter(&mut query);
    page.apply(&mut query, order, "s.id")?;
    let rows = tx.query(&query).await?.into_iter().map(|row| read(row, current)).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, page.limit()?, order, total))
}

fn read(mut row: Row, current: SessionId) -> Result<(Session, Value, uuid::Uuid), StoreError> {
    let id: SessionId = row.take()?;
    let session = Session {
        id,
        current: id == current,
        created_at: row.take()?,
        last_seen_at: row.take()?,
        expires_at: row.take()?,
        address: row.take()?,
        user_agent: row.take()?,
        second_factor: row.take()?,
    };
    Ok((session, row.take()?, row.take()?))
}
