//! The rules of brands, on both engines.

use std::io::Cursor;

use axum::http::Method;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

use super::BaseDomain;

const OURS: &str = "/providers/northwind/brand";
const ACME: &str = "/tenants/acme/brand";
const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40" onload="alert(1)"><script>alert(2)</script><rect width="9" height="9"/></svg>"#;

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn sql(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    tx.execute(sql, &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn at(hub: &TestHub, host: &str) -> Value {
    hub.send("nobody", Method::GET, "/brand", None, &[("host", host)]).await.expect(200).json
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = RgbaImage::from_pixel(width, height, Rgba([15, 118, 110, 200]));
    DynamicImage::from(image).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

async fn logo(hub: &TestHub, who: &str, place: &str, kind: &str, media: &str, bytes: Vec<u8>) -> Answer {
    hub.upload_as(who, &format!("{place}/assets?kind={kind}"), media, bytes).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_field_counts_from_the_nearest_layer_that_sets_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let first = hub.get("priya", OURS).await.expect(200);
    assert_eq!((first.version(), first.json["own"]["name"].clone()), (1, Value::Null));
    assert_eq!(first.json["brand"]["name"], "Northwind IT");
    assert_eq!(first.json["effective"]["name"], json!({"value": "Northwind IT", "layer": "provider"}));
    assert_eq!(first.json["effective"]["colours.brand"], json!({"value": "#0f766e", "layer": "platform"}));
    assert_eq!(first.json["effective"]["support"], json!({"value": null, "layer": "platform"}));

    let body = json!({"name": "Northwind Desk", "colours": {"brand": "#FFD600", "accent": "#1780c0"},
        "support": {"label": "Help desk", "url": "https://help.northwind.example/new?from=hub"}, "email_footer": "Northwind IT\nHarbour Road 1"});
    hub.patch("priya", OURS, 9, body.clone()).await.expect(412);
    let set = hub.patch("priya", OURS, 1, body).await.expect(200);
    assert_eq!(set.version(), 2);
    assert_eq!(set.json["brand"]["colours"], json!({"brand": "#ffd600", "text_on_brand": "#000000", "accent": "#1780c0"}));
    assert_eq!(set.json["brand"]["contrast"]["ok"], true);
    assert_eq!(set.json["warnings"][0]["code"], "faint_on_light");

    let mine = hub.patch("admin", ACME, 1, json!({"colours": {"brand": "#102040"}, "sign_in_text": "Welcome"})).await.expect(200);
    let brand = &mine.json["brand"];
    assert_eq!((brand["name"].as_str(), brand["layer"].as_str()), (Some("Northwind Desk"), Some("tenant")));
    assert_eq!(brand["colours"]["brand"], "#102040");
    assert_eq!(brand["colours"]["accent"], "#1780c0");
    assert_eq!(brand["email_footer"], "Northwind IT\nHarbour Road 1");
    assert_eq!(mine.json["effective"]["sign_in_text"], json!({"value": "Welcome", "layer": "tenant"}));
    let here = hub.get("viewer", "/tenants/acme/context").await.expect(200).json["brand"].clone();
    assert_eq!(&here, brand);

    // Null is as above; what is left out stays; another client has none of it.
    let back = hub.patch("admin", ACME, 2, json!({"colours": {"brand": null}})).await.expect(200);
    assert_eq!(back.json["brand"]["colours"]["brand"], "#ffd600");
    assert_eq!(back.json["own"]["sign_in_text"], "Welcome");
    assert_ne!(back.json["brand"]["version"], brand["version"]);
    let other = hub.get("priya", "/tenants/plain/context").await.expect(200).json["brand"].clone();
    assert_eq!((other["sign_in_text"].clone(), other["name"].as_str()), (Value::Null, Some("Northwind Desk")));
    let theirs = hub.get("other_admin", "/tenants/zeta/context").await.expect(200).json["brand"].clone();
    assert_eq!((theirs["name"].as_str(), theirs["support"].clone()), (Some("Contoso Managed"), Value::Null));

    let entry = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (entry["action"].as_str(), entry["changes"][0]["before"]["colours"]["brand"].as_str()),
        (Some("tenant_brand.update"), Some("#102040"))
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_says_what_is_left_to_those_below_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.patch("priya", OURS, 1, json!({"name": "Desk", "email_footer": "Ours"})).await.expect(200);
    hub.patch("admin", ACME, 1, json!({"name": "Acme", "email_footer": "Mine", "sign_in_text": "Hello"})).await.expect(200);
    hub.patch("harriet", "/providers/harbor/brand", 1, json!({"name": "Harbor"})).await.expect(200);
    let shown = async |who: &str, path: &str| {
        let brand = hub.get(who, path).await.expect(200).json["brand"].clone();
        [brand["name"].clone(), brand["email_footer"].clone(), brand["sign_in_text"].clone()]
            .map(|v| v.as_str().unwrap_or("-").to_owned())
    };
    let context = "/tenants/acme/context";
    assert_eq!(shown("viewer", context).await, ["Acme", "Mine", "Hello"]);
    assert_eq!(shown("harriet", "/tenants/birch/context").await, ["Harbor", "Ours", "-"]);

    sql(&hub, "UPDATE provider SET tenant_branding = 'inherit' WHERE slug = 'northwind'").await;
    assert_eq!(shown("viewer", context).await, ["Desk", "Ours", "Hello"]);
    assert_eq!(shown("harriet", "/tenants/birch/context").await, ["Desk", "Ours", "-"]);
    let mine = hub.get("admin", ACME).await.expect(200).json;
    assert_eq!(
        (mine["tenant_branding"].as_str(), mine["locked"].as_bool(), mine["own"]["name"].as_str()),
        (Some("inherit"), Some(false), Some("Acme"))
    );
    hub.patch("admin", ACME, 2, json!({"sign_in_text": "Hi"})).await.expect(200);

    sql(&hub, "UPDATE provider SET tenant_branding = 'locked' WHERE slug = 'northwind'").await;
    assert_eq!(shown("viewer", context).await, ["Desk", "Ours", "-"]);
    assert_eq!(shown("harriet", "/tenants/birch/context").await, ["Desk", "Ours", "-"]);
    for (who, path) in [("admin", ACME), ("t3", ACME), ("harriet", "/providers/harbor/brand")] {
        let seen = hub.get(who, path).await.expect(200).json;
        assert_eq!((seen["locked"].as_bool(), seen["locked_by"].as_str()), (Some(true), Some("Northwind IT")));
        let refused = hub.patch(who, path, 1, json!({"name": "Mine"})).await.expect(409);
        assert_eq!(refused.code(), "locked");
        assert_eq!(logo(&hub, who, path, "favicon", "image/png", png(8, 8)).await.expect(409).code(), "locked");
    }
    let ours = hub.get("priya", OURS).await.expect(200).json;
    assert_eq!((ours["tenant_branding"].as_str(), ours["locked"].as_bool()), (Some("locked"), Some(false)));
    hub.patch("priya", OURS, 2, json!({"name": "Desk 2"})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_written_anew_and_served_as_nothing_else(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut with_more = png(300, 100);
    with_more.extend_from_slice(b"<script>alert(1)</script>");
    let made = logo(&hub, "priya", OURS, "logo_light", "image/png", with_more.clone()).await.expect(201).json;
    assert_eq!(
        (made["width"].as_i64(), made["height"].as_i64(), made["media"].as_str()),
        (Some(300), Some(100), Some("image/png"))
    );
    let url = made["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let served = hub.get("nobody", &url).await.expect(200);
    let header = |name: &str| served.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    assert_eq!((header("x-content-type-options"), header("content-disposition")), ("nosniff".to_owned(), "inline".to_owned()));
    assert!(!served.bytes.windows(7).any(|part| part == b"<script"), "what stood behind the picture is gone");
    assert_eq!(
        image::load_from_memory(&served.bytes).unwrap().to_rgba8(),
        RgbaImage::from_pixel(300, 100, Rgba([15, 118, 110, 200]))
    );

    let drawn = logo(&hub, "priya", OURS, "logo_dark", "image/svg+xml; charset=utf-8", SVG.into()).await.expect(201).json;
    assert_eq!((drawn["width"].as_i64(), drawn["media"].as_str()), (Some(120), Some("image/svg+xml")));
    let kept = hub.get("nobody", drawn["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap()).await.expect(200);
    let kept = String::from_utf8(kept.bytes).unwrap();
    assert!(kept.contains("<rect") && !kept.contains("script") && !kept.contains("onload"), "{kept}");

    let mut jpeg = Vec::new();
    DynamicImage::new_rgb8(64, 32).write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg).unwrap();
    // A comment with something private in it (marker COM).
    jpeg.splice(2..2, [&[0xff, 0xfe, 0, 9][..], b"secret!"].concat());
    let photo = logo(&hub, "priya", OURS, "favicon", "image/jpeg", jpeg).await.expect(201).json;
    let photo_kept = hub.get("nobody", photo["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap()).await.expect(200);
    assert!(!photo_kept.bytes.windows(6).any(|part| part == b"secret"));

    let body = json!({"logo_light": made["id"], "logo_dark": drawn["id"], "favicon": photo["id"]});
    let set = hub.patch("priya", OURS, 1, body).await.expect(200).json;
    assert_eq!(set["brand"]["logo"], json!({"light": made["url"], "dark": drawn["url"]}));
    assert_eq!(set["effective"]["favicon"], json!({"value": photo["url"], "layer": "provider"}));
    // A client's own light logo does not stand beside its provider's dark one.
    let own = logo(&hub, "admin", ACME, "logo_light", "image/png", with_more).await.expect(201).json;
    assert_ne!(own["id"], made["id"], "the same picture of another owner has another address");
    let mine = hub.patch("admin", ACME, 1, json!({"logo_light": own["id"]})).await.expect(200).json;
    assert_eq!(mine["brand"]["logo"], json!({"light": own["url"], "dark": null}));
    assert_eq!(mine["brand"]["favicon"], photo["url"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_picture_is_told_why(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut bomb = png(8, 8);
    // The header says 60,000 × 60,000 pixels; its checksum is right.
    bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let mut crc = flate2_crc(&bomb[12..29]).to_be_bytes().to_vec();
    bomb.splice(29..33, crc.drain(..));
    let cut = {
        let whole = png(200, 200);
        whole[..whole.len() / 2].to_vec()
    };
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;".to_vec();
    let page = b"<!doctype html><svg></svg><script>alert(1)</script>".to_vec();
    for (kind, media, bytes, wrong) in [
        ("logo_light", "image/png", bomb, "image too_many_pixels"),
        ("logo_light", "image/png", png(2_001, 1), "image too_many_pixels"),
        ("favicon", "image/png", png(513, 20), "image too_many_pixels"),
        ("logo_light", "image/png", cut, "image broken"),
        ("logo_light", "image/gif", gif, "image unsupported_type"),
        ("logo_light", "image/svg+xml", page, "image unsafe_or_broken"),
        ("logo_light", "image/png", Vec::new(), "image unsupported_type"),
        ("logo_light", "image/png", SVG.into(), "content_type mismatch"),
        ("logo_light", "text/html", SVG.into(), "content_type mismatch"),
        ("logo_light", "image/jpeg", png(8, 8), "content_type mismatch"),
        ("logo_light", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><!DOCTYPE".to_vec(), "image unsafe_or_broken"),
        ("banner", "image/png", png(8, 8), "kind wrong_type"),
    ] {
        let refused = logo(&hub, "priya", OURS, kind, media, bytes).await.expect(422);
        assert_eq!(refused.wrong_fields().len(), 1, "{}", refused.json);
        if kind != "banner" {
            assert_eq!(refused.wrong_fields(), [wrong], "{}", refused.json);
        }
    }
    let large = logo(&hub, "priya", OURS, "logo_light", "image/png", vec![0; 512 * 1024 + 1]).await.expect(413);
    assert!(large.json["detail"].as_str().unwrap().contains("512 KiB"));
    logo(&hub, "priya", OURS, "favicon", "image/png", vec![0; 64 * 1024 + 1]).await.expect(413);
    // Whoever may not change the brand sends nothing.
    logo(&hub, "t2", ACME, "favicon", "image/png", png(8, 8)).await.expect(403);
    logo(&hub, "t3", OURS, "favicon", "image/png", png(8, 8)).await.expect(403);
    logo(&hub, "carla", OURS, "favicon", "image/png", png(8, 8)).await.expect(404);
    logo(&hub, "nobody", OURS, "favicon", "image/png", png(8, 8)).await.expect(401);
    assert!(hub.control_ledger().await.iter().any(|e| e["action"] == "provider_brand_asset.create" && e["outcome"] == "refused"));
}

/// CRC-32 as PNG has it.
fn flate2_crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_its_owners_only(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let theirs = logo(&hub, "other_admin", "/tenants/zeta/brand", "logo_light", "image/png", png(9, 9)).await.expect(201).json;
    let ours = logo(&hub, "priya", OURS, "logo_light", "image/png", png(9, 9)).await.expect(201).json;
    for id in [&theirs["id"], &ours["id"], &json!("0123456789abcdef0123456789abcdef"), &json!("no such\u{0}thing"), &json!("")] {
        let refused = hub.patch("admin", ACME, 1, json!({"logo_light": id})).await.expect(422);
        assert_eq!(refused.wrong_fields(), ["logo_light unknown"]);
    }
    let wrong_kind = hub.patch("priya", OURS, 1, json!({"favicon": ours["id"]})).await.expect(422);
    assert_eq!(wrong_kind.wrong_fields(), ["favicon unknown"]);
    for path in ["0123456789abcdef0123456789abcdef", "x", "..%2f..%2fetc", "%00", "ABCDEF6789abcdef0123456789abcdef"] {
        hub.get("nobody", &format!("/brand/assets/{path}")).await.expect(404);
    }
    // A client that is archived shows itself nowhere any more, nor does one that is purged leave anything.
    let url = theirs["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    hub.get("nobody", &url).await.expect(200);
    sql(&hub, "UPDATE tenant SET state = 'archived' WHERE slug = 'zeta'").await;
    hub.get("nobody", &url).await.expect(404);
    // What was only tried out is kept for a while, not for ever.
    for n in 1..=20 {
        logo(&hub, "priya", OURS, "logo_light", "image/png", png(n, 1)).await.expect(201);
        hub.advance(std::time::Duration::from_secs(1));
    }
    let mut tx = hub.hub.system_read().await.unwrap();
    let count: i64 = tx.one("SELECT COUNT(*) FROM brand_asset WHERE tenant_id IS NULL", &[]).await.unwrap().take().unwrap();
    assert_eq!(count, 12);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn words_and_links_are_plain(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let support = |url: &str| json!({"support": {"label": "Help", "url": url}});
    for (body, wrong) in [
        (json!({"name": "x".repeat(61)}), "name too_long"),
        (json!({"name": "two\nlines"}), "name control_characters"),
        (json!({"name": "a\u{0}b"}), "name control_characters"),
        (json!({"name": "gnp.\u{202e}live"}), "name control_characters"),
        (json!({"email_footer": "x".repeat(501)}), "email_footer too_long"),
        (json!({"sign_in_text": "a\u{1b}[31m"}), "sign_in_text control_characters"),
        (json!({"colours": {"brand": "red"}}), "colours.brand not_a_colour"),
        (json!({"colours": {"accent": "#12345"}}), "colours.accent not_a_colour"),
        (json!({"support": {"label": " ", "url": "https://a.example"}}), "support.label too_short"),
        (support("http://a.example"), "support.url not_a_link"),
        (support("javascript:alert(1)"), "support.url not_a_link"),
        (support("https://a.example@evil.example/x\"onclick"), "support.url not_a_link"),
        (support("https://user@evil.example/"), "support.url not_a_link"),
        (support("https://"), "support.url not_a_link"),
        (support("https://a b.example"), "support.url not_a_link"),
        (support("data:text/html,x"), "support.url not_a_link"),
        (support("mailto:nobody"), "support.url not_a_link"),
        (support("mailto:help@a.example?body=x"), "support.url not_a_link"),
    ] {
        let refused = hub.patch("priya", OURS, 1, body).await.expect(422);
        assert_eq!(refused.wrong_fields(), [wrong]);
    }
    let good = json!({"name": "  Größe & Söhne  ", "sign_in_text": "One\r\nTwo", "email_footer": " \n ", "support": {"label": "Help", "url": "mailto:help@a.example"}});
    let set = hub.patch("priya", OURS, 1, good).await.expect(200).json;
    assert_eq!(set["own"]["name"], "Größe & Söhne");
    assert_eq!((set["own"]["sign_in_text"].as_str(), set["own"]["email_footer"].clone()), (Some("One\nTwo"), Value::Null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn before_sign_in_the_name_says_whose_brand_shows(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.hub.provide(BaseDomain("hub.example".into()));
    hub.patch("admin", ACME, 1, json!({"name": "Acme Desk"})).await.expect(200);
    // Two providers at the top: nobody's brand is the default.
    let default = at(&hub, "hub.test").await;
    assert_eq!((default["name"].as_str(), default["layer"].as_str()), (Some("Tenantry"), Some("platform")));
    assert_eq!(hub.get("nobody", "/brand").await.expect(200).json, default);
    hub.post("priya", "/providers/northwind/host-names", json!({"host": "Portal.Acme.example", "tenant": "acme"}))
        .await
        .expect(201);
    hub.post("priya", "/providers/northwind/host-names", json!({"host": "desk.northwind.example"})).await.expect(201);
    assert_eq!(at(&hub, "portal.acme.example:8443").await["name"], "Acme Desk");
    assert_eq!(at(&hub, "PORTAL.ACME.EXAMPLE.").await["name"], "Acme Desk");
    assert_eq!(at(&hub, "desk.northwind.example").await["name"], "Northwind IT");
    assert_eq!(at(&hub, "acme-northwind.hub.example").await["name"], "Acme Desk");
    assert_eq!(at(&hub, "birch-harbor.hub.example").await["name"], "Harbor Services");
    // Unknown, half right, archived, malformed: the default, to the byte.
    for host in [
        "acme-contoso.hub.example",
        "zzz-northwind.hub.example",
        "acme.hub.example",
        "hub.example",
        "x.acme-northwind.hub.example",
        "acme-northwind.evil.example",
        "portal.acme.example.evil",
        "a_b",
        "'; --",
        "-northwind.hub.example",
        &format!("{}.hub.example", "a-".repeat(31) + "a"),
    ] {
        assert_eq!(at(&hub, host).await, default, "{host}");
    }
    // A name that is forwarded counts only behind a proxy.
    let forwarded =
        hub.send("nobody", Method::GET, "/brand", None, &[("x-forwarded-host", "portal.acme.example")]).await.expect(200);
    assert_eq!(forwarded.json, default);
    sql(&hub, "UPDATE tenant SET state = 'archived' WHERE slug = 'acme'").await;
    for host in ["portal.acme.example", "acme-northwind.hub.example"] {
        assert_eq!(at(&hub, host).await, default, "{host}");
    }
    // Whoever asks for a client by its name is told nothing; whoever has an invitation sees its place.
    assert_eq!(hub.get("nobody", "/brand?tenant=birch").await.expect(200).json, default);
    assert_eq!(hub.get("nobody", "/brand?invitation=guessed").await.expect(200).json, default);
    // One provider at the top: its own installation.
    sql(&hub, "UPDATE provider SET parent_id = (SELECT p.id FROM provider p WHERE p.slug = 'northwind') WHERE slug = 'contoso'")
        .await;
    assert_eq!(at(&hub, "anything.example").await["name"], "Northwind IT");
    // No provider at all: the one organisation's.
    sql(&hub, "UPDATE tenant SET provider_id = (SELECT p.id FROM provider p WHERE p.slug = 'northwind') WHERE slug = 'plain'")
        .await;
    sql(&hub, "UPDATE tenant SET state = 'archived' WHERE slug <> 'plain'").await;
    sql(&hub, "UPDATE provider SET kind = 'standalone' WHERE slug = 'northwind'").await;
    let alone = at(&hub, "anything.example").await;
    assert_eq!((alone["name"].as_str(), alone["layer"].as_str()), (Some("Plain Paper Co"), Some("tenant")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_can_be_read_twice_is_the_older_clients(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.hub.provide(BaseDomain("hub.example".into()));
    // zeta-x of contoso, and zeta of x-contoso: both are "zeta-x-contoso".
    sql(&hub, "UPDATE provider SET slug = 'x-contoso' WHERE slug = 'contoso'").await;
    sql(&hub, "UPDATE provider SET slug = 'contoso' WHERE slug = 'harbor'").await;
    sql(&hub, "UPDATE tenant SET slug = 'zeta-x' WHERE slug = 'birch'").await;
    sql(&hub, "UPDATE tenant SET created_at = created_at - 1 WHERE slug = 'zeta'").await;
    assert_eq!(at(&hub, "zeta-x-contoso.hub.example").await["name"], "Contoso Managed");
    let listed = async |who: &str, provider: &str| {
        let names = hub.get(who, &format!("/providers/{provider}/host-names")).await.expect(200).json;
        names["items"].as_array().unwrap().iter().map(|item| item["host"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(listed("harriet", "contoso").await.is_empty());
    sql(&hub, "UPDATE tenant SET created_at = created_at - 2 WHERE slug = 'zeta-x'").await;
    assert_eq!(at(&hub, "zeta-x-contoso.hub.example").await["name"], "Harbor Services");
    assert_eq!(listed("harriet", "contoso").await, ["zeta-x-contoso.hub.example"]);
    assert!(listed("carla", "x-contoso").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sets_what_is_below_everything(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    use super::{AssetKind, PlatformBrand, PlatformImage, set_platform, show_platform};
    let hub = start(engine).await;
    let asked = PlatformBrand {
        name: Some("Our Hub".into()),
        colour: Some("#123456".into()),
        images: vec![PlatformImage::of(AssetKind::LogoLight, &png(20, 10))],
        ..PlatformBrand::default()
    };
    let set = set_platform(&hub.hub, asked).await.unwrap();
    assert_eq!((set.brand.name.as_str(), set.brand.colours.brand.as_str()), ("Our Hub", "#123456"));
    assert_eq!(at(&hub, "anything.example").await["logo"]["light"].as_str(), set.brand.logo.light.as_deref());
    let below = hub.get("priya", OURS).await.expect(200).json;
    assert_eq!(below["effective"]["colours.brand"], json!({"value": "#123456", "layer": "platform"}));
    assert_eq!(below["brand"]["name"], "Northwind IT");
    let wrong = PlatformBrand { colour: Some("blue".into()), ..PlatformBrand::default() };
    assert_eq!(set_platform(&hub.hub, wrong).await.unwrap_err().code(), "invalid");
    let reset = PlatformBrand { reset: vec!["name".into(), "logo_light".into()], ..PlatformBrand::default() };
    set_platform(&hub.hub, reset).await.unwrap();
    let shown = show_platform(&hub.hub).await.unwrap().brand;
    assert_eq!((shown.name.as_str(), shown.logo.light, shown.colours.brand.as_str()), ("Tenantry", None, "#123456"));
}
