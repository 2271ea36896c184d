//! Rows of e-mails.

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::letters::TEMPLATES;
use super::{Body, MailId, MailState, MailView, Written};
use crate::places::{Place, take_tenant};

const LABEL: &str = "mail";
const NOT_CONFIGURED: &str = "No SMTP server is configured.";

pub(super) async fn locale<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Option<String>, StoreError> {
    tx.opt("SELECT locale FROM person WHERE id = ?1", params![person]).await?.map(|mut row| row.take()).transpose()
}

/// Whose log an e-mail stands in: the provider's, or that of the provider that holds the tenant.
async fn provider_of<S: scope::Control>(tx: &mut ReadTx<S>, place: Option<Place>) -> Result<Option<ProviderId>, StoreError> {
    match place {
        None => Ok(None),
        Some(Place::Provider(provider)) => Ok(Some(provider)),
        Some(Place::Tenant(tenant)) => {
            let row = tx.opt("SELECT provider_id FROM tenant WHERE id = ?1 AND state <> 'purged'", params![tenant]).await?;
            row.map(|mut row| row.take()).transpose()
        }
    }
}

pub(super) async fn insert<S: scope::Control>(tx: &mut WriteTx<S>, id: MailId, written: &Written) -> Result<()> {
    let (hub, now) = (tx.hub().clone(), tx.now());
    let provider = provider_of(tx, written.place).await?;
    // A tenant that is purged meanwhile leaves nothing here.
    let tenant: Option<TenantId> = written.place.and_then(Place::tenant).filter(|_| provider.is_some());
    let is_sent = hub.sends_mail();
    let body = serde_json::to_vec(&written.body).map_err(Error::internal)?;
    let body = is_sent.then(|| hub.master_key().seal(LABEL, &body));
    let needs = serde_json::to_string(&written.needs).map_err(Error::internal)?;
    let (state, error) = if is_sent { (MailState::Waiting, None) } else { (MailState::Withheld, Some(NOT_CONFIGURED)) };
    tx.execute(
        "INSERT INTO mail (id, provider_id, tenant_id, person_id, recipient, template, subject, body, needs, state, next_at, error, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            id,
            provider,
            tenant,
            written.person,
            written.to.as_str(),
            written.template.as_str(),
            written.subject.as_str(),
            body,
            needs,
            state.as_str(),
            is_sent.then_some(now),
            error,
            now
        ],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str = "m.id, m.recipient, m.template, m.subject, t.id, t.slug, t.name, m.state, m.attempts, m.next_at, m.sent_at, m.error, m.created_at";
const FROM: &str = " FROM mail m LEFT JOIN tenant t ON t.id = m.tenant_id WHERE m.provider_id = ";

fn view(row: &mut Row) -> Result<MailView, StoreError> {
    Ok(MailView {
        id: row.take()?,
        to: row.take()?,
        template: row.take()?,
        subject: row.take()?,
        tenant: take_tenant(row)?,
        state: row.take()?,
        attempts: row.take()?,
        next_at: row.take()?,
        sent_at: row.take()?,
        error: row.take()?,
        created_at: row.take()?,
    })
}

pub(super) async fn one(tx: &mut ReadTx<scope::Provider>, id: MailId) -> Result<Option<MailView>, StoreError> {
    let provider = tx.scope.provider;
    let row = tx.opt(&format!("SELECT {COLUMNS}{FROM}?1 AND m.id = ?2"), params![provider, id]).await?;
    row.map(|mut row| view(&mut row)).transpose()
}

pub(super) async fn page(
    tx: &mut ReadTx<scope::Provider>,
    page: &PageQuery,
    state: Option<MailState>,
    template: Option<&str>,
) -> Result<Page<MailView>> {
    let provider = tx.scope.provider;
    let order = page.order(&[("-created", "m.created_at"), ("to", "m.recipient")])?;
    let pattern = page.pattern()?;
    if template.is_some_and(|template| !TEMPLATES.contains(&template)) {
        return Err(Error::field("template", "unknown", format!("is one of {}", TEMPLATES.join(", "))));
    }
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        if let Some(state) = state {
            query.push(" AND m.state = ").bind(state.as_str());
        }
        if let Some(template) = template {
            query.push(" AND m.template = ").bind(template);
        }
        query.and_like("m.recipient || ' ' || m.subject", pattern.as_deref());
        query
    };
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("SELECT {COLUMNS}, {}, m.id", order.key));
    page.apply(&mut query, order, "m.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((view(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

/// Has it tried from the beginning; not one that somebody sends at this moment.
pub(super) async fn again(tx: &mut WriteTx<scope::Provider>, id: MailId) -> Result<bool, StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let changed = tx
        .execute(
            "UPDATE mail SET state = 'waiting', attempts = 0, next_at = ?3, error = NULL
             WHERE provider_id = ?1 AND id = ?2 AND state IN ('waiting', 'failed') AND body IS NOT NULL
               AND (leased_until IS NULL OR leased_until <= ?3)",
            params![provider, id, now],
        )
        .await?;
    Ok(changed == 1)
}

/// One that is to be sent now.
pub(super) struct Due {
    pub id: MailId,
    pub person: Option<PersonId>,
    pub to: String,
    pub subject: String,
    pub body: Body,
    pub needs: Vec<Place>,
    /// This try's number, from 1.
    pub attempt: i64,
}

/// Whether anything is to be sent or tidied now.
pub(super) async fn is_due(tx: &mut ReadTx<scope::Public>) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql =
        "SELECT id FROM mail WHERE state = 'waiting' AND next_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1) LIMIT 1";
    Ok(tx.opt(sql, params![now]).await?.is_some())
}

/// Takes some that are due, for as long as `until`.
pub(super) async fn lease(tx: &mut WriteTx<scope::Public>, limit: i64, until: Timestamp) -> Result<Vec<Due>> {
    let (hub, now) = (tx.hub().clone(), tx.now());
    // Asked twice: another hub may have taken one of them between the two.
    let rows = tx
        .rows(
            "UPDATE mail SET leased_until = ?2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM mail WHERE state = 'waiting' AND next_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1)
                          ORDER BY next_at, id LIMIT ?3)
               AND state = 'waiting' AND (leased_until IS NULL OR leased_until <= ?1)
             RETURNING id, person_id, recipient, subject, body, needs, attempts",
            params![now, until, limit],
        )
        .await?;
    let mut due = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (id, person, to, subject): (_, _, _, String) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let sealed: Vec<u8> = row.take()?;
        let body = serde_json::from_slice(&hub.master_key().open(LABEL, &sealed)?).map_err(Error::internal)?;
        due.push(Due { id, person, to, subject, body, needs: row.json()?, attempt: row.take()? });
    }
    Ok(due)
}

/// What became of a try.
pub(super) enum Outcome {
    Sent,
    /// To be tried again.
    Later(Timestamp, String),
    Failed(String),
    Withheld(String),
}

pub(super) async fn settle(tx: &mut WriteTx<scope::Public>, id: MailId, outcome: &Outcome) -> Result<(), StoreError> {
    let now = tx.now();
    match outcome {
        Outcome::Sent => {
            let sql = "UPDATE mail SET state = 'sent', sent_at = ?2, body = NULL, error = NULL, next_at = NULL, leased_until = NULL WHERE id = ?1";
            tx.execute(sql, params![id, now]).await?
        }
        Outcome::Later(next_at, why) => {
            let sql = "UPDATE mail SET next_at = ?2, error = ?3, leased_until = NULL WHERE id = ?1";
            tx.execute(sql, params![id, *next_at, why.as_str()]).await?
        }
        Outcome::Failed(why) => {
            let sql = "UPDATE mail SET state = 'failed', error = ?2, next_at = NULL, leased_until = NULL WHERE id = ?1";
            tx.execute(sql, params![id, why.as_str()]).await?
        }
        Outcome::Withheld(why) => {
            let sql =
                "UPDATE mail SET state = 'withheld', body = NULL, error = ?2, next_at = NULL, leased_until = NULL WHERE id = ?1";
            tx.execute(sql, params![id, why.as_str()]).await?
        }
    };
    Ok(())
}

/// Contents that nobody asked for again, and entries of the log that are old.
pub(super) async fn is_untidy(
    tx: &mut ReadTx<scope::Public>,
    failed_before: Timestamp,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM mail WHERE (state = 'failed' AND body IS NOT NULL AND created_at <= ?1) OR (state <> 'waiting' AND created_at <= ?2) LIMIT 1";
    Ok(tx.opt(sql, params![failed_before, before]).await?.is_some())
}

pub(super) async fn tidy(tx: &mut WriteTx<scope::Public>, failed_before: Timestamp, before: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE mail SET body = NULL WHERE state = 'failed' AND created_at <= ?1", params![failed_before]).await?;
    tx.execute("DELETE FROM mail WHERE state <> 'waiting' AND created_at <= ?1", params![before]).await?;
    Ok(())
}
