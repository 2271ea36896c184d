//! Branding: the name, logo, colours and words that people see, before they sign in too.
//!
//! - Layers: the installation's, the provider's (of a sub-provider below its parent's), the tenant's. Each field counts from the nearest
//!   layer that sets it. A dark logo counts only with its own light one or with one from further above.
//! - What a provider leaves to those below it ([`TenantBranding`]): `override`, theirs wins where they set it; `inherit`, what is set above
//!   holds, they fill in what is left open; `locked`, they set nothing, and what they had set does not count. The strictest of all above
//!   counts, so that a sub-provider below a locked parent is locked, and so are its tenants.
//! - A provider that sets no name is called by its own.
//! - Pictures are decoded and written anew, SVG is sanitised ([`svg`]); they are served from an address made of their own content and
//!   owner, which tells nobody whether somebody else has the same picture.
//! - Which brand shows before anybody is signed in, the name says that the hub was reached by (see [`hosts`]).
//!
//! What this deliberately does not do: refuse a colour (text on it is black or white, one of which can always be read), run anybody's CSS,
//! or let a page before sign-in ask for a tenant's brand by the tenant's name, which would tell who is a client here.

mod colours;
mod effective;
mod hosts;
mod http;
mod images;
mod operator;
mod store;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kernel::brand::{Brand, BrandId, BrandImage, BrandLayer, BrandSupport};
use kernel::error::FieldError;
use kernel::http::IfMatch;
use kernel::news::Of;
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use hosts::{BaseDomain, Hosts, at_host, link_base};
pub(crate) use hosts::{address_of, is_reserved, place_of};
pub(crate) use http::router;
pub use images::{AssetKind, FAVICON_BYTES_MAX, FAVICON_PIXELS_MAX, LOGO_BYTES_MAX, LOGO_PIXELS_MAX, Picture};
pub use operator::{PlatformBrand, PlatformImage, set_platform, show_platform};

use crate::patch::given;
use colours::Colour;
use effective::{Found, Layers};

/// Pictures of one layer that are kept though nothing shows them: those just tried out, and those that e-mails still point to.
const SPARE_ASSETS: u32 = 12;
/// Below which the pictures are served.
const ASSETS: &str = "/api/v1/brand/assets/";

/// What those below a provider may do about their brand, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantBranding {
    /// Theirs wins where they set it.
    Override,
    /// What is set above holds; they fill in what is left open.
    Inherit,
    /// They set nothing.
    Locked,
}

impl std::str::FromStr for TenantBranding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "override" => Self::Override,
            "inherit" => Self::Inherit,
            "locked" => Self::Locked,
            _ => return Err(()),
        })
    }
}

/// What a layer has of its own; `null`: as above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Own {
    /// Name of the application.
    pub name: Option<String>,
    /// Colours.
    pub colours: OwnColours,
    /// Id of the logo for light backgrounds.
    pub logo_light: Option<String>,
    /// Id of the logo for dark backgrounds.
    pub logo_dark: Option<String>,
    /// Id of the favicon.
    pub favicon: Option<String>,
    /// Whom to ask for help.
    pub support: Option<BrandSupport>,
    /// Plain text at the end of e-mails.
    pub email_footer: Option<String>,
    /// Plain text on the sign-in page.
    pub sign_in_text: Option<String>,
}

/// Colours that a layer has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnColours {
    /// The brand colour, `#rrggbb`.
    pub brand: Option<String>,
    /// A second colour, `#rrggbb`.
    pub accent: Option<String>,
}

/// A change: what is left out stays, `null` is as above.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct BrandUpdate {
    /// Name of the application, 1 to 60 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Option<String>>,
    /// Colours.
    pub colours: Option<ColoursUpdate>,
    /// Id of a logo that was uploaded here.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub logo_light: Option<Option<String>>,
    /// Id of a logo that was uploaded here.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub logo_dark: Option<Option<String>>,
    /// Id of a favicon that was uploaded here.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub favicon: Option<Option<String>>,
    /// Whom to ask for help: a label of 1 to 60 characters, a link beginning with `https:` or `mailto:`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<BrandSupport>)]
    pub support: Option<Option<BrandSupport>>,
    /// Plain text at the end of e-mails, at most 500 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub email_footer: Option<Option<String>>,
    /// Plain text on the sign-in page, at most 1,000 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub sign_in_text: Option<Option<String>>,
}

/// A change of colours: what is left out stays, `null` is as above.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct ColoursUpdate {
    /// The brand colour, `#rrggbb`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub brand: Option<Option<String>>,
    /// A second colour, `#rrggbb`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub accent: Option<Option<String>>,
}

/// A value that counts, and the layer that sets it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct EffectiveField {
    /// The value: text, an address of a picture, or a support contact; `null` where nobody sets any.
    #[schema(value_type = Option<Object>)]
    pub value: Value,
    /// The layer that sets it; `platform` where nobody does.
    pub layer: BrandLayer,
}

/// A place's brand, to be looked after.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BrandView {
    /// What the place has of its own.
    pub own: Own,
    /// What counts, by field: `name`, `colours.brand`, `colours.accent`, `logo_light`, `logo_dark`, `favicon`, `support`, `email_footer`,
    /// `sign_in_text`.
    pub effective: BTreeMap<&'static str, EffectiveField>,
    /// Of a provider: what it lets those below it do. Of a tenant: what it may do.
    pub tenant_branding: TenantBranding,
    /// Nothing can be set here.
    pub locked: bool,
    /// The provider that keeps it locked.
    pub locked_by: Option<String>,
    /// All of it together, as people see it.
    pub brand: Brand,
    /// What is hard to see, and what to do.
    pub warnings: Vec<FieldError>,
    /// Where it can be seen before signing in; none: at the hub's own address only.
    pub preview_host: Option<String>,
    /// Version, for If-Match.
    pub version: i64,
}

/// A picture that was just taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BrandAsset {
    /// Its id, for `logo_light`, `logo_dark` or `favicon`.
    pub id: String,
    /// Where it is served.
    pub url: String,
    /// Which picture.
    pub kind: AssetKind,
    /// Its media type.
    pub media: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes, as it is kept.
    pub bytes: u64,
}

/// The id of a place's brand: follows from the place and cannot be turned round.
pub(crate) fn id_of(of: Of) -> BrandId {
    let place = match of {
        Of::Installation => uuid::Uuid::nil(),
        Of::Provider(provider) => provider.uuid(),
        Of::Tenant(tenant) => tenant.uuid(),
    };
    let hash = blake3::derive_key("tenantry 2026-11-21 id of a brand v1", place.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    BrandId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn asset_url(id: &str) -> String {
    format!("{ASSETS}{id}")
}

/// The brand that counts at a place: for e-mails and reports. A tenant's once it is archived is the installation's.
///
/// # Errors
/// As the store's.
pub async fn effective<S: scope::Control>(tx: &mut ReadTx<S>, of: Of) -> Result<Brand> {
    Ok(Layers::load(tx, of).await?.brand())
}

/// The picture at one of a brand's addresses, if it is there.
///
/// # Errors
/// As the store's.
pub async fn image<S: scope::Control>(tx: &mut ReadTx<S>, address: &str) -> Result<Option<BrandImage>> {
    let id = address.strip_prefix(ASSETS).unwrap_or(address);
    let is_one = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_one { Ok(store::image(tx, id).await?) } else { Ok(None) }
}

/// A place's brand as those see it who look after it.
///
/// # Errors
/// As the store's.
pub(crate) async fn view<S: scope::Control>(tx: &mut ReadTx<S>, of: Of) -> Result<BrandView> {
    let layers = Layers::load(tx, of).await?;
    let preview_host = hosts::host_of(tx, of).await?;
    Ok(shown(&layers, of, preview_host))
}

fn shown(layers: &Layers, of: Of, preview_host: Option<String>) -> BrandView {
    let brand = layers.brand();
    let mut effective = BTreeMap::new();
    let mut put = |name, found: Found<Value>, otherwise: Value| {
        let (value, layer) = found.map_or((otherwise, BrandLayer::Platform), |(value, at)| (value, layers.layer_at(at)));
        effective.insert(name, EffectiveField { value, layer });
    };
    let text = |value: Option<String>| value.map(Value::from);
    let picture = |value: Option<String>| value.map(|id| Value::from(asset_url(&id)));
    put("name", layers.pick(|own| text(own.name.clone())), brand.name.clone().into());
    put("colours.brand", layers.pick(|own| text(own.colours.brand.clone())), brand.colours.brand.clone().into());
    put("colours.accent", layers.pick(|own| text(own.colours.accent.clone())), Value::Null);
    put("logo_light", layers.pick(|own| picture(own.logo_light.clone())), Value::Null);
    put("logo_dark", layers.logo_dark().map(|(id, at)| (asset_url(&id).into(), at)), Value::Null);
    put("favicon", layers.pick(|own| picture(own.favicon.clone())), Value::Null);
    put("support", layers.pick(|own| own.support.as_ref().map(|s| serde_json::json!(s))), Value::Null);
    put("email_footer", layers.pick(|own| text(own.email_footer.clone())), Value::Null);
    put("sign_in_text", layers.pick(|own| text(own.sign_in_text.clone())), Value::Null);
    let rule = layers.rule();
    BrandView {
        own: layers.own.clone(),
        effective,
        tenant_branding: if matches!(of, Of::Tenant(_)) { rule } else { layers.rule_below },
        locked: rule == TenantBranding::Locked,
        locked_by: layers.locked_by.clone(),
        warnings: warnings(&brand),
        brand,
        preview_host,
        version: layers.own_version.max(1),
    }
}

/// What is hard to see. The brand colour itself is never too faint for its text; an accent stands on the console's own surfaces.
fn warnings(brand: &Brand) -> Vec<FieldError> {
    let colours = [("colours.brand", Some(&brand.colours.brand)), ("colours.accent", brand.colours.accent.as_ref())];
    let parsed = colours.into_iter().filter_map(|(field, colour)| Some((field, Colour::parse(colour?)?)));
    let hard = parsed.flat_map(|(field, colour)| colour.hard_to_see_on().into_iter().map(move |ground| (field, ground)));
    hard.map(|(field, ground)| FieldError {
        field: field.into(),
        code: format!("faint_on_{ground}"),
        message: format!(
            "is hard to see on {ground} backgrounds (contrast below 3); choose a {} tone",
            if ground == "light" { "darker" } else { "lighter" }
        ),
    })
    .collect()
}

/// Changes a place's own brand.
///
/// # Errors
/// `Locked`, `Changed`, `Invalid`.
pub(crate) async fn update<S: scope::Control>(
    tx: &mut WriteTx<S>,
    of: Of,
    version: IfMatch,
    body: BrandUpdate,
) -> Result<BrandView> {
    let before = Layers::load(tx, of).await?;
    require_open(&before)?;
    version.check(before.own_version.max(1))?;
    let mut check = Check::new();
    let after = changed(&mut check, &before.own, body);
    let pictures = [
        ("logo_light", AssetKind::LogoLight, &before.own.logo_light, &after.logo_light),
        ("logo_dark", AssetKind::LogoDark, &before.own.logo_dark, &after.logo_dark),
        ("favicon", AssetKind::Favicon, &before.own.favicon, &after.favicon),
    ];
    for (field, kind, was, is) in pictures {
        if let Some(id) = is.as_ref().filter(|_| was != is)
            && !(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric()) && store::has_asset(tx, of, kind, id).await?)
        {
            check.fail(field, "unknown", format!("is no {} of this brand; upload the picture first", kind.as_str()));
        }
    }
    check.done()?;
    store::keep(tx, of, &after, before.own_version.max(1)).await?;
    let id = id_of(of);
    tx.subject("brand", id, before.brand().name).changed("brand", id, &before.own, &after);
    view(tx, of).await
}

/// Takes in a picture.
///
/// # Errors
/// `Locked`.
pub(crate) async fn keep<S: scope::Control>(tx: &mut WriteTx<S>, of: Of, picture: Picture) -> Result<BrandAsset> {
    let layers = Layers::load(tx, of).await?;
    require_open(&layers)?;
    let mut hasher = blake3::Hasher::new_derive_key("tenantry 2026-11-21 id of a picture v1");
    hasher.update(id_of(of).uuid().as_bytes()).update(picture.kind.as_str().as_bytes()).update(b" ");
    hasher.update(picture.media.as_bytes()).update(b" ").update(&picture.bytes);
    let id = hasher.finalize().to_hex()[..32].to_owned();
    let asset = BrandAsset {
        url: asset_url(&id),
        kind: picture.kind,
        media: picture.media.to_owned(),
        width: picture.width,
        height: picture.height,
        bytes: picture.bytes.len() as u64,
        id: id.clone(),
    };
    store::keep_asset(tx, of, &id, picture).await?;
    store::sweep_assets(tx, of, SPARE_ASSETS).await?;
    tx.subject("brand", id_of(of), layers.brand().name).changed("brand_asset", &id, &(), &asset);
    Ok(asset)
}

fn require_open(layers: &Layers) -> Result<()> {
    if layers.rule() != TenantBranding::Locked {
        return Ok(());
    }
    let who = layers.locked_by.clone().unwrap_or_else(|| "the provider".into());
    Err(Error::Locked(format!("{who} keeps one look for everybody. Ask {who} to change its setting “tenant branding”.")))
}

/// The layer's own after a change.
fn changed(check: &mut Check, before: &Own, body: BrandUpdate) -> Own {
    let colours = body.colours.unwrap_or_default();
    Own {
        name: words(check, "name", before.name.as_ref(), body.name, Words { max: 60, lines: false }),
        colours: OwnColours {
            brand: colour(check, "colours.brand", before.colours.brand.as_ref(), colours.brand),
            accent: colour(check, "colours.accent", before.colours.accent.as_ref(), colours.accent),
        },
        logo_light: body.logo_light.unwrap_or_else(|| before.logo_light.clone()),
        logo_dark: body.logo_dark.unwrap_or_else(|| before.logo_dark.clone()),
        favicon: body.favicon.unwrap_or_else(|| before.favicon.clone()),
        support: match body.support {
            None => before.support.clone(),
            Some(support) => support.map(|support| contact(check, &support)),
        },
        email_footer: words(
            check,
            "email_footer",
            before.email_footer.as_ref(),
            body.email_footer,
            Words { max: 500, lines: true },
        ),
        sign_in_text: words(
            check,
            "sign_in_text",
            before.sign_in_text.as_ref(),
            body.sign_in_text,
            Words { max: 1_000, lines: true },
        ),
    }
}

/// How much text a field takes.
#[derive(Clone, Copy)]
struct Words {
    max: usize,
    lines: bool,
}

/// Plain text; nothing but spaces is as above.
fn words(check: &mut Check, field: &str, before: Option<&String>, given: Option<Option<String>>, may: Words) -> Option<String> {
    let Some(given) = given else { return before.cloned() };
    let text = given?.replace("\r\n", "\n");
    if text.trim().is_empty() {
        return None;
    }
    let text = check.text(field, &text, 1..=may.max);
    check.that(may.lines || !text.contains(['\n', '\t']), field, "control_characters", "is one line");
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    check.that(
        !text.contains(turns),
        field,
        "control_characters",
        "contains invisible characters or such that turn text round; remove them",
    );
    Some(text)
}

fn colour(check: &mut Check, field: &str, before: Option<&String>, given: Option<Option<String>>) -> Option<String> {
    let Some(given) = given else { return before.cloned() };
    let text = given?;
    let colour = Colour::parse(&text);
    if colour.is_none() {
        check.fail(field, "not_a_colour", "is not a colour like #0f766e: a hash and six hexadecimal digits");
    }
    colour.map(Colour::text)
}

fn contact(check: &mut Check, support: &BrandSupport) -> BrandSupport {
    let label = words(check, "support.label", None, Some(Some(support.label.clone())), Words { max: 60, lines: false });
    check.that(label.is_some(), "support.label", "too_short", "is missing");
    let url = support.url.trim();
    let is_text = url.len() <= 500 && url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'));
    let is_web = url.strip_prefix("https://").is_some_and(|rest| {
        kernel::brand::host_name(rest.split(['/', '?', '#']).next().unwrap_or_default()).is_some_and(|host| host.contains('.'))
    });
    // An address and nothing else: parameters could fill in a message.
    let is_mail = url.strip_prefix("mailto:").is_some_and(|address| {
        let mut mail = Check::new();
        mail.email("", address);
        !address.contains(['?', '&', '%']) && mail.done().is_ok()
    });
    check.that(is_text && (is_web || is_mail), "support.url", "not_a_link", "is neither https://… nor mailto:name@company.example");
    BrandSupport { label: label.unwrap_or_default(), url: url.to_owned() }
}
