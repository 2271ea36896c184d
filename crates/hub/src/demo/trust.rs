//! What Northwind's people ask for beyond what they have, what became of it, and the keys of two programs.

use serde_json::{Value, json};

use super::api::{Api, Result, text};
use super::cast::{CLIENTS, Client, Person, lena, priya, sam, tom};

const ELEVATIONS: &str = "/providers/northwind/elevations";

/// Something that is asked for, and what becomes of it.
struct Asked {
    who: fn() -> Person,
    template: usize,
    client: &'static str,
    minutes: i64,
    reason: &'static str,
    ticket: Option<&'static str>,
    then: &'static [Then],
}

/// What somebody does with a request.
enum Then {
    /// The provider admin says yes.
    Yes(&'static str),
    /// The provider admin says no.
    No(&'static str),
    /// Whoever asked has enough.
    Enough(&'static str),
}

const ASKED: &[Asked] = &[
    Asked {
        who: lena,
        template: 2,
        client: "elm-street",
        minutes: 120,
        reason: "First visit: going through the overrides with the practice's manager.",
        ticket: None,
        then: &[Then::Yes("Have a good trip."), Then::Enough("Done earlier than planned.")],
    },
    Asked {
        who: sam,
        template: 0,
        client: "glasswing",
        minutes: 30,
        reason: "A studio machine does not come up after the update.",
        ticket: None,
        then: &[Then::No("Looking is enough for this one. Tom has the change.")],
    },
    Asked {
        who: tom,
        template: 2,
        client: "dunmore",
        minutes: 240,
        reason: "Move of the council's mail on Saturday.",
        ticket: None,
        then: &[Then::Enough("The move was put off.")],
    },
    Asked {
        who: sam,
        template: 2,
        client: "acme",
        minutes: 480,
        reason: "At Acme's head office today, closing findings together with Marcus.",
        ticket: Some("SR-1187"),
        then: &[Then::Yes("As agreed with Dana.")],
    },
    Asked {
        who: tom,
        template: 1,
        client: "acme",
        minutes: 20,
        reason: "Quarterly change of the scanner's sign-in.",
        ticket: Some("CHG-2041"),
        then: &[],
    },
    Asked {
        who: lena,
        template: 0,
        client: "dunmore",
        minutes: 45,
        reason: "The scanner's account is locked and tonight's scan will fail.",
        ticket: None,
        then: &[],
    },
];

fn templates() -> [Value; 3] {
    let every = ["discovery", "finops", "governance", "secops", "orchestration", "observability", "compliance", "identity"];
    [
        json!({
            "name": "Emergency access", "description": "When something is down and the usual way takes too long.", "tier": "T3",
            "modules": every, "minutes_max": 60, "approver": "provider", "step_up": true,
        }),
        json!({
            "name": "Credential rotation", "description": "Changes settings and people, and nothing else, with the client's own word.",
            "actions": ["setting.update", "member.invite", "member.disable"], "modules": [], "minutes_max": 30, "approver": "tenant",
            "ticket": true,
        }),
        json!({
            "name": "On-site visit", "description": "A day of work at the client's, together with its people.", "tier": "T2",
            "modules": every, "minutes_max": 480, "approver": "provider",
        }),
    ]
}

/// Plays it. Everybody who does something here is signed in.
pub(super) async fn play(api: &mut Api, password: &str) -> Result<()> {
    let acme = CLIENTS.iter().find(|client| client.slug() == "acme").map(Client::people).unwrap_or_default();
    for who in [priya(), lena(), sam()].iter().chain(acme.first().map(|(_, admin)| admin)) {
        api.post(&who.email, "/session/step-up", json!({ "password": password })).await?;
    }
    let mut made = Vec::new();
    for body in templates() {
        let template = api.post(&priya().email, "/providers/northwind/elevation-templates", body).await?;
        made.push(text(&template, "id", "a template")?);
    }
    for asked in ASKED {
        ask(api, asked, &made[asked.template]).await?;
    }
    let sync =
        json!({ "name": "Dashboard sync", "actions": ["client.list", "client.export", "score.list"], "expires_in_days": 180 });
    api.post(&priya().email, "/providers/northwind/api-keys", sync).await?;
    if let Some((_, admin)) = acme.first() {
        let export = json!({ "name": "Nightly export", "actions": ["finding.list", "finding.export"], "expires_in_days": 90 });
        api.post(&admin.email, "/tenants/acme/api-keys", export).await?;
    }
    Ok(())
}

async fn ask(api: &mut Api, asked: &Asked, template: &str) -> Result<()> {
    let who = (asked.who)();
    let body = json!({
        "template": template, "tenant": asked.client, "minutes": asked.minutes, "reason": asked.reason, "ticket": asked.ticket,
    });
    let id = text(&api.post(&who.email, ELEVATIONS, body).await?, "id", "an elevation")?;
    for then in asked.then {
        let (by, word, reason) = match then {
            Then::Yes(reason) => (priya(), "approve", reason),
            Then::No(reason) => (priya(), "deny", reason),
            Then::Enough(reason) => (who.clone(), "end-own", reason),
        };
        api.post(&by.email, &format!("{ELEVATIONS}/{id}/{word}"), json!({ "reason": reason })).await?;
    }
    Ok(())
}
