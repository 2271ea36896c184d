//! What Northwind and two of its clients look like: a logo, colours and words of their own, and a name of Acme's that leads here.

use axum::http::Method;
use serde_json::{Value, json};

use super::api::{Api, Result, text};
use super::cast::{CLIENTS, Client, priya};

/// A north star over waves, and the name beside it.
const NORTHWIND: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 220 48" role="img" aria-label="Northwind IT">
<defs><linearGradient id="sea" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#1d5fa8"/><stop offset="1" stop-color="#0b3c74"/></linearGradient></defs>
<rect width="48" height="48" rx="12" fill="url(#sea)"/>
<path d="M24 7l3.6 9.4L37 20l-9.4 3.6L24 33l-3.6-9.4L11 20l9.4-3.6z" fill="#fff"/>
<path d="M8 37c4 0 4-3 8-3s4 3 8 3 4-3 8-3 4 3 8 3" fill="none" stroke="#9cc7f2" stroke-width="3" stroke-linecap="round"/>
<text x="60" y="32" font-family="Inter, Segoe UI, sans-serif" font-size="23" font-weight="650" fill="INK">Northwind IT</text></svg>"##;

/// The star alone.
const STAR: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="12" fill="#12508f"/>
<path d="M24 9l4 11 11 4-11 4-4 11-4-11-11-4 11-4z" fill="#fff"/></svg>"##;

/// A tooth.
const ACME: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 170 48" role="img" aria-label="Acme Dental"><rect width="48" height="48" rx="24" fill="#7a2e8e"/>
<path d="M15 14c4-3 6 0 9 0s5-3 9 0c4 4 1 10-1 14-1 3-1 9-4 9s-2-8-4-8-1 8-4 8-3-6-4-9c-2-4-5-10-1-14z" fill="#fff"/>
<text x="58" y="31" font-family="Georgia, serif" font-size="22" fill="#7a2e8e">Acme Dental</text></svg>"##;

/// A bridge.
const STONEBRIDGE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="8" fill="#3d4a2f"/>
<path d="M6 36V20h36v16h-6c0-8-5-11-12-11s-12 3-12 11z" fill="#e8dcc0"/></svg>"##;

/// Plays it. Priya and the clients' admins are signed in.
pub(super) async fn play(api: &mut Api) -> Result<()> {
    let boss = priya().email;
    let ours = "/providers/northwind";
    let light = upload(api, &boss, ours, "logo_light", &NORTHWIND.replace("INK", "#12305a")).await?;
    let dark = upload(api, &boss, ours, "logo_dark", &NORTHWIND.replace("INK", "#eaf2fb")).await?;
    let favicon = upload(api, &boss, ours, "favicon", STAR).await?;
    let brand = json!({
        "colours": { "brand": "#12508f", "accent": "#e0731d" }, "logo_light": light, "logo_dark": dark, "favicon": favicon,
        "support": { "label": "Northwind service desk", "url": "mailto:desk@northwind.example" },
        "email_footer": "Northwind IT · 4 Harbour Road · Portsmouth",
        "sign_in_text": "Trouble signing in? The service desk is there around the clock.",
    });
    set(api, &boss, ours, brand).await?;
    let acme = json!({ "name": "Acme Dental IT", "colours": { "brand": "#7a2e8e" }, "sign_in_text": "For staff of Acme Dental's practices." });
    client(api, "acme", ACME, acme).await?;
    client(api, "stonebridge", STONEBRIDGE, json!({ "colours": { "brand": "#3d4a2f", "accent": "#b08d3c" } })).await?;
    api.post(&boss, &format!("{ours}/host-names"), json!({ "host": "portal.acme.example", "tenant": "acme" })).await?;
    Ok(())
}

/// A client's admin gives it a logo and more, if it is in the cast.
async fn client(api: &mut Api, slug: &str, logo: &str, mut brand: Value) -> Result<()> {
    let people = CLIENTS.iter().find(|client| client.slug() == slug).map(Client::people).unwrap_or_default();
    let Some((_, admin)) = people.first() else { return Ok(()) };
    let place = format!("/tenants/{slug}");
    // The small demo has fewer clients.
    if !api.knows(&admin.email) {
        return Ok(());
    }
    brand["logo_light"] = upload(api, &admin.email, &place, "logo_light", logo).await?.into();
    set(api, &admin.email, &place, brand).await
}

async fn upload(api: &mut Api, who: &str, place: &str, kind: &str, svg: &str) -> Result<String> {
    let path = format!("{place}/brand/assets?kind={kind}");
    let made = api.draw(who, &path, svg).await?;
    text(&made, "id", &path)
}

async fn set(api: &mut Api, who: &str, place: &str, brand: Value) -> Result<()> {
    let path = format!("{place}/brand");
    let before = api.get(who, &path).await?;
    api.change(who, Method::PATCH, &path, &before["version"], brand).await?;
    Ok(())
}
