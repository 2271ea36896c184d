//! Who may see the alerts of a place: the access rule says so, asked for everybody when people are to be told, and for one when something is
//! about to be sent or shown.

use std::collections::BTreeSet;

use access::Act;
use kernel::door::Memo;
use kernel::{Hub, OwnCx, PersonId, ProviderId, ReadTx, Result, TenantId, scope};

use super::store;
use crate::places::Place;

/// Somebody who may see an alert.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub person: PersonId,
    pub email: String,
    /// They may do something about it.
    pub may_act: bool,
}

/// Everybody who may see the alerts of a place, by id.
pub(super) async fn readers(hub: &Hub, tx: &mut ReadTx<scope::Public>, place: Place) -> Result<Vec<Reader>> {
    match place {
        Place::Tenant(tenant) => {
            let Some(stands) = tx.stands_anywhere(&tenant.to_string(), None).await? else { return Ok(Vec::new()) };
            let mut memo = Memo::default();
            let mut readers = Vec::new();
            for stand in stands.all().into_iter().filter(|stand| stand.enabled) {
                let may = memo.may(hub, &stand);
                if may.contains(&Act::AlertList) {
                    let may_act = may.contains(&Act::AlertAcknowledge);
                    readers.push(Reader { person: stand.person, email: stand.email, may_act });
                }
            }
            readers.sort_by_key(|reader| reader.person);
            Ok(readers)
        }
        Place::Provider(provider) => {
            let people = tx.staff_who_may(provider, Act::ProviderAlertAcknowledge).await?;
            let emails = store::emails(tx, &people).await?;
            Ok(emails.into_iter().map(|(person, email)| Reader { person, email, may_act: true }).collect())
        }
    }
}

/// Whether a person may see the alerts of all these places now.
///
/// # Errors
/// The control database does not answer.
pub(crate) async fn still_sees(hub: &Hub, person: PersonId, places: &[Place]) -> Result<bool> {
    let mut tx = hub.system_read().await?;
    let mut memo = Memo::default();
    for place in places {
        let sees = match place {
            Place::Provider(provider) => tx.staff_who_may(*provider, Act::ProviderAlertAcknowledge).await?.contains(&person),
            Place::Tenant(tenant) => {
                let stands = tx.stands_anywhere(&tenant.to_string(), Some(person)).await?;
                let stand = stands.and_then(|stands| stands.of(person)).filter(|stand| stand.enabled);
                stand.is_some_and(|stand| memo.may(hub, &stand).contains(&Act::AlertList))
            }
        };
        if !sees {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Places whose alerts the signed-in person may see now.
pub(crate) struct Open {
    pub tenants: Vec<TenantId>,
    pub providers: Vec<ProviderId>,
}

/// Of these places those whose alerts the signed-in person may see now.
pub(super) async fn open(cx: &OwnCx, places: BTreeSet<Place>) -> Result<Open> {
    let tenants: Vec<_> = places.iter().filter_map(|place| place.tenant()).collect();
    let providers: Vec<_> = places.iter().filter_map(|place| place.provider()).collect();
    Ok(Open {
        tenants: cx.may_in(&tenants, Act::AlertList).await?,
        providers: cx.may_at(&providers, Act::ProviderAlertAcknowledge).await?,
    })
}
