//! What the tests of elevations stand on: the provider's routes, and the tenant's side and a slow writer under addresses of their own.

use std::time::Duration;

use access::actions;
use axum::Router;
use axum::routing::post;
use kernel::http::{Json, Path};
use kernel::store::Value as SqlValue;
use kernel::{Hub, Result, TenantCx, params};
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub, person, tenant};

use super::{Elevation, ElevationDecision, ElevationId};

pub(super) const HERE: &str = "/providers/northwind/elevations";
pub(super) const TEMPLATES: &str = "/providers/northwind/elevation-templates";

/// A hub with the cast, a second provider admin who is an admin of Acme too (`dual`, in the place of `tech_expired`), and a second
/// admin of Acme (`operator`).
pub(super) struct World {
    pub hub: TestHub,
}

impl World {
    pub async fn start(engine: Engine) -> Self {
        let routes = Router::<Hub>::from(crate::router())
            .route("/test/tenants/{tenant}/elevations/{elevation}/{word}", post(decide))
            .route("/test/tenants/{tenant}/late/{micros}", post(late));
        let world = Self { hub: TestHub::start(engine, routes).await };
        world.run("UPDATE member SET role = 'admin' WHERE person_id = ?1", params![person("operator")]).await;
        world.run("UPDATE staff SET role = 'provider_admin' WHERE person_id = ?1", params![person(DUAL)]).await;
        world.run("DELETE FROM assignment WHERE person_id = ?1", params![person(DUAL)]).await;
        let id = kernel::ids::uuid_at(world.hub.hub.now());
        let sql =
            "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'admin', 'active', 0)";
        world.run(sql, params![id, tenant("acme"), person(DUAL)]).await;
        world
    }

    /// Changes rows behind everybody's back.
    pub async fn run(&self, sql: &str, params: &[SqlValue]) {
        let mut tx = self.hub.hub.system_write("test.stage", "a test sets its stage").await.expect("a write");
        tx.execute(sql, params).await.expect("good SQL");
        tx.commit().await.expect("committed");
    }

    /// A template of Priya's: T3 in all modules for an hour, with the provider's word, but for what is said otherwise.
    pub async fn template(&self, otherwise: Value) -> String {
        let made = self.hub.post("priya", TEMPLATES, template(otherwise)).await.expect(201).json;
        made["id"].as_str().expect("an id").to_owned()
    }

    pub async fn ask(&self, who: &str, template: &str, minutes: i64) -> Answer {
        let body = json!({"template": template, "tenant": "acme", "minutes": minutes, "reason": "The backup does not start."});
        self.hub.post(who, HERE, body).await
    }

    pub async fn asked(&self, who: &str, template: &str, minutes: i64) -> String {
        self.ask(who, template, minutes).await.expect(201).json["id"].as_str().expect("an id").to_owned()
    }

    /// A word of the provider's side.
    pub async fn word(&self, who: &str, id: &str, word: &str) -> Answer {
        self.hub.post(who, &format!("{HERE}/{id}/{word}"), json!({"reason": "Looked at it together."})).await
    }

    /// A word of Acme's side.
    pub async fn tenants_word(&self, who: &str, id: &str, word: &str) -> Answer {
        let path = format!("/test/tenants/acme/elevations/{id}/{word}");
        self.hub.post(who, &path, json!({"reason": "Looked at it together."})).await
    }

    /// A write on Acme's data that is allowed when it begins, and committed so much later.
    pub async fn write_late(&self, who: &str, by: Duration) -> Answer {
        self.hub.post(who, &format!("/test/tenants/acme/late/{}", by.as_micros()), json!({})).await
    }

    /// What somebody may do in Acme; nothing where they are not let in.
    pub async fn can(&self, who: &str) -> Value {
        let answer = self.hub.get(who, "/tenants/acme/context").await;
        if answer.status == 200 { answer.json["can"].clone() } else { Value::Null }
    }

    pub async fn may(&self, who: &str, action: &str) -> bool {
        self.can(who).await[action]["allowed"] == json!(true)
    }

    /// An elevation as its holder sees it.
    pub async fn seen(&self, who: &str, id: &str) -> Value {
        let list = self.hub.get(who, &format!("{HERE}/own?limit=200")).await.expect(200).json;
        let found = list["items"].as_array().expect("a list").iter().find(|one| one["id"] == id);
        found.expect("it is theirs").clone()
    }
}

/// Who is a provider admin of Northwind and an admin of Acme.
pub(super) const DUAL: &str = "tech_expired";

/// The body of a template, with some of it otherwise.
pub(super) fn template(otherwise: Value) -> Value {
    let mut body = json!({
        "name": "Emergency access", "description": "When it burns", "tier": "T3", "actions": [], "modules": access::Modules::ALL,
        "minutes_max": 60, "approver": "provider", "ticket": false, "step_up": false,
    });
    for (field, value) in otherwise.as_object().expect("an object") {
        body[field] = value.clone();
    }
    body
}

async fn decide(
    cx: TenantCx,
    Path(path): Path<(String, ElevationId, String)>,
    Json(body): Json<ElevationDecision>,
) -> Result<Json<Elevation>> {
    let (reason, id) = (body.reason.as_deref(), path.1);
    let (tx, elevation) = match path.2.as_str() {
        "approve" => {
            let mut tx = cx.write_records::<actions::AccessRequestApprove>().await?;
            let done = super::approve_for_tenant(&mut tx, id, reason).await?;
            (tx, done)
        }
        "deny" => {
            let mut tx = cx.write_records::<actions::AccessRequestDeny>().await?;
            let done = super::deny_for_tenant(&mut tx, id, reason).await?;
            (tx, done)
        }
        "end" => {
            let mut tx = cx.write_records::<actions::AccessRequestEnd>().await?;
            let done = super::end_for_tenant(&mut tx, id, reason).await?;
            (tx, done)
        }
        "remove" => {
            let mut tx = cx.write_records::<actions::ProviderAccessRemove>().await?;
            let one = super::one_of_tenant(&mut tx, id).await?;
            let holder = one.person.id.ok_or(kernel::Error::NotFound)?;
            super::end_all_on_tenant(&mut tx, holder, "Removed here.").await?;
            let done = super::one_of_tenant(&mut tx, id).await?;
            (tx, done)
        }
        _ => {
            let mut tx = cx.read_records::<actions::AccessRequestList>().await?;
            return Ok(Json(super::one_of_tenant(&mut tx, id).await?));
        }
    };
    tx.commit().await?;
    Ok(Json(elevation))
}

/// A write that takes its time: allowed now, committed when the clock has moved on.
async fn late(cx: TenantCx, Path(path): Path<(String, u64)>) -> Result<Json<Value>> {
    let tx = cx.write::<actions::OverrideCreate>().await?;
    tx.hub().clock().advance(Duration::from_micros(path.1));
    tx.commit().await?;
    Ok(Json(json!({})))
}
