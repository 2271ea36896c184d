//! The summary by e-mail: what came into the console's list since the last one.

use kernel::clock::DAY_US;
use kernel::news::{Mail, Of};
use kernel::{Hub, PersonId, Result, Timestamp};
use serde_json::{Value, json};

use super::store::{self, Due};
use super::{Digest, sees};
use crate::mail;
use crate::places::{self, Place};

/// Looked at together.
const ROUND: i64 = 100;
/// Six in the morning, UTC.
const AT_US: i64 = 6 * 3_600_000_000;
/// 1 January 1970 was a Thursday: the first Monday was four days later.
const FIRST_MONDAY: i64 = 4;

/// When the next one is due.
pub(super) fn next(digest: Digest, now: Timestamp) -> Timestamp {
    let (period, first) = if digest == Digest::Weekly { (7, FIRST_MONDAY) } else { (1, 0) };
    let (period, offset) = (period * DAY_US, first * DAY_US + AT_US);
    Timestamp(((now.0 - offset).div_euclid(period) + 1) * period + offset)
}

/// Sends the summaries that are due.
///
/// # Errors
/// The control database does not answer.
pub async fn digests(hub: &Hub) -> Result<()> {
    loop {
        let due = store::due_digests(&mut hub.system_read().await?, ROUND).await?;
        if due.is_empty() {
            return Ok(());
        }
        for one in due {
            send(hub, &one).await?;
        }
    }
}

async fn send(hub: &Hub, due: &Due) -> Result<()> {
    let letter = match &due.email {
        Some(email) => letter(hub, due, email).await?,
        None => None,
    };
    let mut tx = hub.system_write("notification.digest", "a summary of notifications is due").await?;
    tx.keeps_authority().subject("person", due.person, None);
    let now = tx.now();
    if !store::digest_went_on(&mut tx, due, next(due.digest, now)).await? {
        return Ok(());
    }
    if let Some(letter) = &letter {
        mail::put(&mut tx, letter).await?;
    }
    tx.commit().await
}

async fn letter(hub: &Hub, due: &Due, email: &str) -> Result<Option<mail::Written>> {
    let mut tx = hub.system_read().await?;
    let mut places: Vec<(Place, Vec<Value>)> = Vec::new();
    for (place, item) in store::since(&mut tx, due.person, due.since).await? {
        match places.iter_mut().find(|(other, _)| *other == place) {
            Some((_, items)) => items.push(item),
            None => places.push((place, vec![item])),
        }
    }
    let mut groups = Vec::new();
    let mut needs = Vec::new();
    for (place, items) in places {
        let Some((name, _)) = places::named(&mut tx, place).await? else { continue };
        if may_know(hub, due.person, place).await? {
            groups.push(json!({ "place": name, "items": items }));
            needs.push(place);
        }
    }
    drop(tx);
    if groups.is_empty() {
        return Ok(None);
    }
    let facts = json!({ "period": due.digest.as_str(), "groups": groups, "url": hub.public_url() });
    let of = needs.first().map_or(Of::Installation, |place| place.as_said());
    let mail = Mail { to: email.to_owned(), person: Some(due.person), of, template: "digest".into(), facts };
    mail::write(hub, &mail, needs).await
}

async fn may_know(hub: &Hub, person: PersonId, place: Place) -> Result<bool> {
    sees::still_sees(hub, person, &[place]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mornings_and_mondays() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        assert_eq!(next(Digest::Daily, at("2026-11-21T05:59:59Z")), at("2026-11-21T06:00:00Z"));
        assert_eq!(next(Digest::Daily, at("2026-11-21T06:00:00Z")), at("2026-11-22T06:00:00Z"));
        assert_eq!(next(Digest::Weekly, at("2026-11-21T09:00:00Z")), at("2026-11-23T06:00:00Z"), "a Monday");
        assert_eq!(next(Digest::Weekly, at("2026-11-23T06:00:00Z")), at("2026-11-30T06:00:00Z"));
    }
}
