//! Asking for an elevation.

use std::time::Duration;

use access::{Act, Subject};
use kernel::error::Refusal;
use kernel::validate::Check;
use kernel::{Error, Result, WriteTx, scope};
use serde::Deserialize;

use super::side::Side as _;
use super::{Elevation, ElevationId, shown, store};
use crate::assignments;
use crate::elevation_templates::{self, ElevationTemplate, ElevationTemplateId, TemplateState};
use crate::staff::lock_provider;

/// How long a request waits for an answer.
pub(super) const WAITS: Duration = Duration::from_secs(24 * 3600);

/// What is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ElevationRequest {
    /// The template.
    pub template: ElevationTemplateId,
    /// Where: id or slug of a client that the person reaches.
    pub tenant: String,
    /// For how many minutes, at most the template's.
    pub minutes: i64,
    /// Why: at least 5 characters.
    pub reason: String,
    /// The ticket, where the template wants one.
    pub ticket: Option<String>,
}

/// Asks.
///
/// # Errors
/// `Invalid` with every wrong field, `StepUpRequired` where the template wants a fresh second factor, `Conflict` while the same was asked
/// for and not answered.
pub async fn request(tx: &mut WriteTx<scope::Provider>, body: ElevationRequest) -> Result<Elevation> {
    lock_provider(tx).await?;
    let (now, me) = (tx.now(), tx.me()?.clone());
    let template = elevation_templates::find(tx, body.template).await?;
    let tenant = assignments::tenant(tx, &body.tenant).await?;
    let stand = match &tenant {
        Some(tenant) => scope::Provider::stand(tx, me.person, tenant.id).await?,
        None => None,
    };
    let mut check = Check::new();
    let template = template_of(&mut check, template, &body);
    let (reason, ticket) = words_of(&mut check, template.as_ref(), &body);
    // One who holds nothing on a tenant is told of it what is told of one that does not exist.
    let reached = stand.map(|stand| stand.explain(tx.hub(), Act::ContextView, Subject::Any));
    match &reached {
        None => check.fail("tenant", "unknown", "is no client that you reach"),
        Some(reached) => check.that(reached.allowed, "tenant", "not_reached", &reached.why),
    };
    check.done()?;
    let (Some(template), Some(tenant)) = (template, tenant) else { return Err(Error::internal("checked above")) };
    tx.subject("elevation_template", template.id, format!("{} on {}", template.name, tenant.name));
    if template.step_up && !me.is_fresh(now) {
        return Err(step_up(tx));
    }
    if store::is_waiting(tx, tenant.id, template.id).await? {
        return Err(Error::Conflict(format!(
            "You have asked for {} on {} already. Wait for the answer, or take that request back.",
            template.name, tenant.name
        )));
    }
    let id = ElevationId::new(now);
    let new = store::New { id, tenant: tenant.id, template: &template, minutes: body.minutes, reason: &reason, ticket: &ticket };
    store::insert(tx, new).await?;
    let stored = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("elevation", id, stored.label()).reason(&reason).changed("elevation", id, &(), &stored.kept(now));
    tx.also_in(tenant.id).keeps_authority();
    shown(tx, stored)
}

/// The template, if it can be asked for, for so long.
fn template_of(check: &mut Check, found: Option<ElevationTemplate>, body: &ElevationRequest) -> Option<ElevationTemplate> {
    let Some(template) = found else {
        check.fail("template", "unknown", "is no template of this provider");
        return None;
    };
    if template.state == TemplateState::Retired {
        check.fail("template", "retired", "cannot be asked for any more");
    }
    if !(1..=template.minutes_max).contains(&body.minutes) {
        check.fail("minutes", "out_of_range", format!("must be between 1 and {}", template.minutes_max));
    }
    Some(template)
}

fn words_of(check: &mut Check, template: Option<&ElevationTemplate>, body: &ElevationRequest) -> (String, String) {
    let reason = check.text("reason", &body.reason, 5..=1_000);
    let ticket = check.text("ticket", body.ticket.as_deref().unwrap_or_default(), 0..=80);
    let wants_ticket = template.is_some_and(|template| template.ticket);
    check.that(!wants_ticket || !ticket.is_empty(), "ticket", "missing", "is missing: this template wants one");
    (reason, ticket)
}

fn step_up(tx: &WriteTx<scope::Provider>) -> Error {
    Error::StepUpRequired(Box::new(Refusal {
        policy: "stop.step_up".into(),
        why: "This template needs a fresh second factor.".into(),
        needs: tx.hub().needs(Act::ElevationRequest).to_string(),
    }))
}
