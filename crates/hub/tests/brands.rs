//! A client reached by a name of its own: its brand before sign-in, the link of an invitation, signing in there, and what the session
//! carries; on both engines, through the whole hub.

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use common::wired;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

const HOST: &str = "portal.acme.example";

async fn at_host(hub: &TestHub, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header(header::HOST, HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header(header::CONTENT_TYPE, "application/json");
    hub.raw(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).expect("a request")).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_entered_by_its_own_name(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::whole(engine, wired).await;
    hub.post("priya", "/providers/northwind/host-names", json!({"host": HOST, "tenant": "acme"})).await.expect(201);
    let brand = json!({"name": "Acme Desk", "sign_in_text": "Welcome"});
    let set = hub.patch("admin", "/tenants/acme/brand", 1, brand).await.expect(200).json;
    assert_eq!(set["preview_host"], HOST);
    let shown = at_host(&hub, "GET", "/brand", &[], None).await.expect(200).json;
    assert_eq!(shown, set["brand"]);

    let invite = json!({"email": "new@acme.example", "role": "viewer"});
    let invited = hub.post("admin", "/tenants/acme/members/invitations", invite).await.expect(201).json;
    let token = invited["token"].as_str().unwrap();
    assert_eq!(invited["url"].as_str().unwrap(), format!("http://{HOST}/invite/{token}"));
    // Elsewhere the link's token alone tells whose it is.
    let by_token = hub.get("nobody", &format!("/brand?invitation={token}")).await.expect(200).json;
    assert_eq!(by_token["name"], "Acme Desk");

    // A page of another name may not write here; one of this very name may.
    let account = json!({"name": "New Person", "password": "correct horse battery staple 9"});
    let accept = format!("/invitations/{token}/accept");
    for foreign in ["https://evil.example", "http://hub.test.evil.example", "null"] {
        let refused = at_host(&hub, "POST", &accept, &[("origin", foreign)], Some(account.clone())).await.expect(403);
        assert_eq!(refused.code(), "cross_origin");
    }
    let entered = at_host(&hub, "POST", &accept, &[("origin", "http://portal.acme.example")], Some(account)).await.expect(200);
    let mark = json!({"id": shown["id"], "version": shown["version"]});
    assert_eq!(entered.json["me"]["session"]["brand"], mark);
    assert_eq!(entered.json["me"]["brand"], shown);
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(!entered.headers[header::SET_COOKIE].to_str().unwrap().to_lowercase().contains("domain="), "one name's cookie only");

    // Signing in again, with the password, there: the same; and what the session carries stays when the brand changes.
    let body = json!({"email": "new@acme.example", "password": "correct horse battery staple 9"});
    let again = at_host(&hub, "POST", "/session", &[("origin", "http://portal.acme.example")], Some(body)).await.expect(200);
    assert_eq!(again.json["me"]["session"]["brand"], mark);
    hub.patch("admin", "/tenants/acme/brand", 2, json!({"name": "Acme Desk 2"})).await.expect(200);
    let me = at_host(&hub, "GET", "/me", &[("cookie", &cookie)], None).await.expect(200).json;
    assert_eq!((me["session"]["brand"].clone(), me["brand"]["name"].as_str()), (mark.clone(), Some("Acme Desk 2")));
    assert_ne!(me["brand"]["version"], mark["version"]);

    // The archived client's name shows what any unknown name shows.
    let mut tx = hub.hub.system_write("test.set", "a client is archived").await.unwrap();
    tx.execute("UPDATE tenant SET state = 'archived' WHERE slug = 'acme'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let after = at_host(&hub, "GET", "/brand", &[], None).await.expect(200);
    assert_eq!(after.bytes, hub.get("nobody", "/brand").await.expect(200).bytes);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purged_client_leaves_no_brand_no_picture_and_no_name(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::whole(engine, wired).await;
    hub.post("priya", "/providers/northwind/host-names", json!({"host": HOST, "tenant": "acme"})).await.expect(201);
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='9' height='9'/></svg>";
    let path = "/tenants/acme/brand/assets?kind=logo_light";
    let logo = hub.upload_as("admin", path, "image/svg+xml", svg.into()).await.expect(201).json;
    hub.patch("admin", "/tenants/acme/brand", 1, json!({"name": "Acme Desk", "logo_light": logo["id"]})).await.expect(200);
    let url = logo["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let served = hub.get("nobody", &url).await.expect(200);
    // What the whole hub adds to every answer does not loosen what a picture may do.
    assert_eq!(served.headers["content-security-policy"], "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    let mut tx = hub.hub.system_read().await.unwrap();
    for table in ["brand", "brand_asset", "host_name"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id IS NOT NULL");
        assert_eq!(tx.one(&sql, &[]).await.unwrap().take::<i64>().unwrap(), 1, "{table}");
    }
    drop(tx);
    let base = "/providers/northwind/tenants/acme";
    let version = hub.get("priya", base).await.expect(200).json["version"].clone();
    let tag = format!("\"{version}\"");
    let post = axum::http::Method::POST;
    let reason = json!({"reason": "the contract is over for good"});
    hub.send("priya", post.clone(), &format!("{base}/archive"), Some(reason), &[("if-match", &tag)]).await.expect(200);
    hub.advance(std::time::Duration::from_secs(31 * 86_400));
    let body = json!({"name": "Acme Dental Group", "reason": "the contract is over for good"});
    hub.post("priya", &format!("{base}/purge"), body).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let state: String = tx.one("SELECT state FROM tenant WHERE slug = 'acme' OR name = 'acme'", &[]).await.unwrap().take().unwrap();
    if state == "purged" {
        for table in ["brand", "brand_asset", "host_name"] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id IS NOT NULL");
            assert_eq!(tx.one(&sql, &[]).await.unwrap().take::<i64>().unwrap(), 0, "{table}");
        }
    }
    hub.get("nobody", &url).await.expect(404);
}
