//! Telling people of an alert that opened or became more urgent.

use std::collections::HashMap;

use kernel::news::Mail;
use kernel::{Hub, PersonId, Result};
use serde_json::{Value, json};

use super::sees::{self, Reader};
use super::store::{self, Telling};
use super::{EMAIL, IN_APP, NotificationRule};
use crate::channels::{self, ChannelId};
use crate::mail::{self, Written};
use crate::places::{self, Place};
use crate::rules;

/// People who are told in one commit.
const PIECE: usize = 100;

/// Tells everybody who is to be told.
///
/// # Errors
/// The control database does not answer.
pub async fn tell(hub: &Hub) -> Result<()> {
    while piece(hub).await? {}
    Ok(())
}

/// Tells the next piece of people. Answers whether there may be more.
pub(super) async fn piece(hub: &Hub) -> Result<bool> {
    let mut tx = hub.system_read().await?;
    let Some(telling) = store::next_telling(&mut tx).await? else { return Ok(false) };
    let place = telling.place;
    let (readers, named) = match place {
        // Resolved or opened anew meanwhile: there is nothing to tell any more.
        Some(place) => (sees::readers(hub, &mut tx, place).await?, places::named(&mut tx, place).await?),
        None => (Vec::new(), None),
    };
    let rest = readers.into_iter().filter(|reader| telling.after.is_none_or(|after| reader.person > after));
    let mut piece: Vec<Reader> = rest.take(PIECE + 1).collect();
    let is_last = piece.len() <= PIECE;
    piece.truncate(PIECE);
    let wishes = store::wishes(&mut tx, &telling.rule, &piece).await?;
    drop(tx);
    let told = match (place, named) {
        (Some(place), Some((name, link))) => prepare(hub, &telling, (place, &name, &link), &piece, &wishes).await?,
        _ => Vec::new(),
    };
    commit(hub, &telling, &told, piece.last().map(|reader| reader.person).filter(|_| !is_last)).await?;
    Ok(true)
}

/// What one person is told, and how.
struct Told {
    person: PersonId,
    in_app: bool,
    letter: Option<Written>,
    channels: Vec<ChannelId>,
}

async fn prepare(
    hub: &Hub,
    telling: &Telling,
    (place, name, link): (Place, &str, &str),
    piece: &[Reader],
    wishes: &HashMap<PersonId, NotificationRule>,
) -> Result<Vec<Told>> {
    let mut told = Vec::with_capacity(piece.len());
    for reader in piece {
        let rule = match wishes.get(&reader.person) {
            Some(own) => own.clone(),
            None if reader.may_act => NotificationRule::standard(&telling.rule),
            None => continue,
        };
        let letter = if rule.uses(EMAIL, telling.urgency) {
            let template = if telling.rule == "relationship_expiring" { "relationship_expiring" } else { "alert" };
            let facts = json!({ "rule": telling.rule, "label": telling.label, "place": name, "facts": telling.facts,
                "url": format!("{}{link}", hub.public_url()) });
            let (to, person) = (reader.email.clone(), Some(reader.person));
            mail::write(hub, &Mail { to, person, of: place.as_said(), template: template.into(), facts }, vec![place]).await?
        } else {
            None
        };
        let channels = rule.channels.iter().filter(|name| rule.uses(name, telling.urgency)).filter_map(|name| name.parse().ok());
        told.push(Told { person: reader.person, in_app: rule.uses(IN_APP, telling.urgency), letter, channels: channels.collect() });
    }
    Ok(told)
}

/// What a webhook says. Counts and names, nothing of a tenant's data.
fn payload(telling: &Telling) -> Value {
    json!({
        "type": channels::ALERT_OPENED,
        "timestamp": telling.raised_at,
        "data": {
            "alert": telling.alert, "rule": telling.rule, "subject": telling.subject, "label": telling.label,
            "urgency": rules::word(rules::urgency(telling.urgency)), "facts": telling.facts, "count": telling.count,
            "tenant": telling.tenant, "provider": telling.provider,
        }
    })
}

async fn commit(hub: &Hub, telling: &Telling, told: &[Told], after: Option<PersonId>) -> Result<()> {
    let mut tx = hub.system_write("notification.tell", "people are told of an alert").await?;
    tx.keeps_authority().subject("alert", telling.alert, telling.label.clone());
    if !store::went_on(&mut tx, telling, after).await? {
        return Ok(());
    }
    for one in told {
        if one.in_app {
            store::insert(&mut tx, one.person, telling).await?;
        }
        if let Some(letter) = &one.letter {
            mail::put(&mut tx, letter).await?;
        }
        for channel in &one.channels {
            channels::lay(&mut tx, *channel, one.person, telling, &payload(telling)).await?;
        }
    }
    tx.commit().await
}
