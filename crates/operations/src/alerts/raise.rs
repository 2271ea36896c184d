//! Raising alerts, and ending them: what acts say becomes a row of an inbox.

use kernel::news::{Alert, Of};
use kernel::{Error, Result, WriteTx, scope};

use super::store::{self, Raised};
use crate::places::{self, Place};
use crate::rules;

/// Longest subject and label that are kept, in characters.
const TEXT_MAX: usize = 200;

/// Takes what an act said of an alert. Saying it twice is saying it once.
///
/// # Errors
/// As the store's.
pub(crate) async fn take(tx: &mut WriteTx<scope::Public>, said: &Alert) -> Result<()> {
    let place = match said.of {
        // The installation has no inbox: nobody signs in as its operator.
        Of::Installation => {
            tracing::warn!(rule = said.rule, label = said.label, "an alert of the installation itself");
            return Ok(());
        }
        Of::Provider(provider) => Place::Provider(provider),
        Of::Tenant(tenant) => Place::Tenant(tenant),
    };
    if places::named(tx, place).await?.is_none() {
        return Ok(());
    }
    let (subject, label) = (one_line(&said.subject), one_line(&said.label));
    if said.is_over {
        if let Some(standing) = store::held(tx, place, &said.rule, &subject).await? {
            store::over(tx, standing.id).await?;
        }
        return Ok(());
    }
    let facts = serde_json::to_string(&said.facts).map_err(Error::internal)?;
    let raised = Raised { rule: &said.rule, subject: &subject, label: &label, urgency: rules::rank(said.urgency), facts };
    raise(tx, place, &raised).await
}

async fn raise(tx: &mut WriteTx<scope::Public>, place: Place, raised: &Raised<'_>) -> Result<()> {
    if let Some(id) = store::insert(tx, place, raised).await? {
        store::tell(tx, id, 1).await?;
        return Ok(());
    }
    let Some(standing) = store::held(tx, place, raised.rule, raised.subject).await? else { return Ok(()) };
    store::noticed(tx, standing.id, raised).await?;
    let is_resolved = standing.state == "resolved";
    if is_resolved || raised.urgency > standing.urgency {
        let turn = store::reopen(tx, standing.id, is_resolved).await?;
        store::tell(tx, standing.id, turn).await?;
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_MAX).collect()
}
