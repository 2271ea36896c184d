//! `tenantry import`: sends a scan's file to a hub, as its user, and waits until it is in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Body, Client, Response, StatusCode};
use serde_json::{Value, json};

/// What to send where, and as whom.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Scan file: OCSF (JSON array or lines), XCCDF 1.2 TestResult or SARIF 2.1; plain, gzip or xz
    pub file: PathBuf,
    /// Tenant, by slug or id
    #[arg(long, value_name = "TENANT")]
    pub tenant: String,
    /// The hub
    #[arg(long, env = "TENANTRY_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
    /// E-mail to sign in with
    #[arg(long, env = "TENANTRY_EMAIL", value_name = "EMAIL")]
    pub email: String,
    /// Password; better given in the environment
    #[arg(long, env = "TENANTRY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub password: String,
    /// Code of the authenticator app, when the account has one
    #[arg(long, env = "TENANTRY_CODE", hide_env_values = true, value_name = "CODE")]
    pub code: Option<String>,
    /// Format of the file [default: by its content]
    #[arg(long, value_parser = ["auto", "ocsf", "xccdf", "sarif"], default_value = "auto")]
    pub format: String,
    /// The scan covers only part of its target: what is missing from it is not fixed
    #[arg(long)]
    pub partial: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Signs in, sends the file, waits for the import and signs out. Answers the scan as the API shows it.
///
/// # Errors
/// In words for the person at the terminal: what the hub refused and why, with line and column of a broken file.
pub async fn import(what: &Import) -> Result<Value, Failure> {
    let client = Client::builder().connect_timeout(Duration::from_secs(10)).redirect(reqwest::redirect::Policy::none()).build()?;
    let base = format!("{}/api/v1", what.url.trim_end_matches('/'));
    let session = sign_in(&client, &base, what).await?;
    let sent = send(&client, &base, &session, what).await;
    let signed_out = client.delete(format!("{base}/session")).header(COOKIE, &session).send().await;
    if let Err(error) = signed_out {
        tracing::debug!(%error, "signing out failed; the session ends by itself");
    }
    sent
}

async fn sign_in(client: &Client, base: &str, what: &Import) -> Result<String, Failure> {
    let body = json!({ "email": what.email, "password": what.password });
    let response = checked(client.post(format!("{base}/session")).json(&body).send().await?).await?;
    let session = cookie_of(&response).ok_or("the hub gave no session")?;
    let answer: Value = response.json().await?;
    if answer["state"] != "second_factor" {
        return Ok(session);
    }
    let code = what.code.as_deref().ok_or("this account has a second factor: give its code with --code")?;
    let request = client.post(format!("{base}/session/verify")).header(COOKIE, &session).json(&json!({ "code": code }));
    let response = checked(request.send().await?).await?;
    Ok(cookie_of(&response).unwrap_or(session))
}

fn cookie_of(response: &Response) -> Option<String> {
    let value = response.headers().get(SET_COOKIE)?.to_str().ok()?;
    value.split(';').next().map(str::to_owned)
}

async fn send(client: &Client, base: &str, session: &str, what: &Import) -> Result<Value, Failure> {
    let file = tokio::fs::File::open(&what.file).await.map_err(|error| format!("{}: {error}", what.file.display()))?;
    let name = file_name(&what.file);
    let tenant = &what.tenant;
    let request = client
        .post(format!("{base}/tenants/{tenant}/scans"))
        .query(&[
            ("file", name.as_str()),
            ("format", what.format.as_str()),
            ("partial", if what.partial { "true" } else { "false" }),
        ])
        .header(COOKIE, session)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(Body::from(file));
    let response = checked(request.send().await?).await?;
    let mut scan: Value = response.json().await?;
    while scan["state"] == "running" {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let id = scan["id"].as_str().unwrap_or_default();
        let response = client.get(format!("{base}/tenants/{tenant}/scans/{id}")).header(COOKIE, session).send().await?;
        scan = checked(response).await?.json().await?;
    }
    if scan["state"] == "complete" { Ok(scan) } else { Err(words(&scan["problem"]).into()) }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

async fn checked(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Value = response.json().await.unwrap_or_default();
    if status == StatusCode::NOT_FOUND && problem.is_null() {
        return Err("this address is not a Tenantry hub".into());
    }
    Err(words(&problem).into())
}

/// A problem in words: title, detail and place.
fn words(problem: &Value) -> String {
    let mut text =
        format!("{}: {}", problem["title"].as_str().unwrap_or("Failed"), problem["detail"].as_str().unwrap_or("no reason given"));
    for (key, label) in [("line", "line"), ("column", "column"), ("pointer", "at"), ("record", "record")] {
        let place = &problem["at"][key];
        if !place.is_null() {
            text.push_str(&format!(" [{label} {}]", place.as_str().map_or_else(|| place.to_string(), str::to_owned)));
        }
    }
    text
}

/// One line about an imported scan.
pub fn line(scan: &Value) -> String {
    let n = |key: &str| scan[key].as_i64().unwrap_or_default();
    if !scan["duplicate_of"].is_null() {
        return format!("{} was imported before; nothing changed", scan["file"].as_str().unwrap_or_default());
    }
    format!(
        "{}: {} findings ({} passed, {} failed, {} manual); {} new, {} recurring, {} fixed, {} returned; score {}",
        scan["file"].as_str().unwrap_or_default(),
        n("findings"),
        n("passed"),
        n("failed"),
        n("manual"),
        n("new"),
        n("recurring"),
        n("fixed"),
        n("returned"),
        scan["score"].as_f64().map_or_else(|| "–".to_owned(), |score| format!("{score:.1} %")),
    )
}
