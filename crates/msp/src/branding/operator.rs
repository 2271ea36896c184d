//! The installation's own layer, which the operator sets at the machine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::http::IfMatch;
use kernel::news::Of;
use kernel::{Error, Hub, Result};
use serde::{Deserialize, Serialize};

use super::{AssetKind, BrandUpdate, BrandView, ColoursUpdate, effective::Layers, images};

/// What the operator sets; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformBrand {
    /// Name of the application.
    pub name: Option<String>,
    /// The brand colour, `#rrggbb`.
    pub colour: Option<String>,
    /// A second colour, `#rrggbb`.
    pub accent: Option<String>,
    /// Pictures.
    pub images: Vec<PlatformImage>,
    /// What the link for help says.
    pub support_label: Option<String>,
    /// The link for help; with the label.
    pub support_url: Option<String>,
    /// Plain text at the end of e-mails.
    pub email_footer: Option<String>,
    /// Plain text on the sign-in page.
    pub sign_in_text: Option<String>,
    /// Fields that are set back to the built-in ones: `name`, `colour`, `accent`, `logo_light`, `logo_dark`, `favicon`, `support`,
    /// `email_footer`, `sign_in_text`.
    pub reset: Vec<String>,
}

/// A picture out of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlatformImage {
    /// Which.
    pub kind: AssetKind,
    /// The file, base64.
    pub base64: String,
}

impl PlatformImage {
    /// The picture in these bytes.
    pub fn of(kind: AssetKind, file: &[u8]) -> Self {
        Self { kind, base64: STANDARD.encode(file) }
    }
}

/// The installation's brand.
///
/// # Errors
/// As the store's.
pub async fn show_platform(hub: &Hub) -> Result<BrandView> {
    super::view(&mut hub.system_read().await?, Of::Installation).await
}

/// Sets the installation's brand.
///
/// # Errors
/// `Invalid`, `TooLarge`.
pub async fn set_platform(hub: &Hub, asked: PlatformBrand) -> Result<BrandView> {
    let mut pictures = Vec::new();
    for image in &asked.images {
        let file = STANDARD.decode(&image.base64).map_err(|_| Error::field("image", "syntax", "is not base64"))?;
        pictures.push(images::take(image.kind, None, file).await?);
    }
    let mut tx = hub.system_write("platform_brand.update", "the operator sets the installation's brand").await?;
    let mut update = update_of(&asked)?;
    for picture in pictures {
        let kind = picture.kind;
        let id = super::keep(&mut tx, Of::Installation, picture).await?.id;
        match kind {
            AssetKind::LogoLight => update.logo_light = Some(Some(id)),
            AssetKind::LogoDark => update.logo_dark = Some(Some(id)),
            AssetKind::Favicon => update.favicon = Some(Some(id)),
        }
    }
    let version = IfMatch(Layers::load(&mut tx, Of::Installation).await?.own_version.max(1));
    let view = super::update(&mut tx, Of::Installation, version, update).await?;
    tx.commit().await?;
    Ok(view)
}

fn update_of(asked: &PlatformBrand) -> Result<BrandUpdate> {
    let support = match (&asked.support_label, &asked.support_url) {
        (None, None) => None,
        (Some(label), Some(url)) => Some(Some(kernel::brand::BrandSupport { label: label.clone(), url: url.clone() })),
        (Some(_), None) => return Err(Error::field("support_url", "missing", "is missing; a label needs its link")),
        (None, Some(_)) => return Err(Error::field("support_label", "missing", "is missing; a link needs its label")),
    };
    let mut colours = ColoursUpdate { brand: asked.colour.clone().map(Some), accent: asked.accent.clone().map(Some) };
    let mut update = BrandUpdate {
        name: asked.name.clone().map(Some),
        support,
        email_footer: asked.email_footer.clone().map(Some),
        sign_in_text: asked.sign_in_text.clone().map(Some),
        ..BrandUpdate::default()
    };
    for field in &asked.reset {
        match field.as_str() {
            "name" => update.name = Some(None),
            "colour" => colours.brand = Some(None),
            "accent" => colours.accent = Some(None),
            "logo_light" => update.logo_light = Some(None),
            "logo_dark" => update.logo_dark = Some(None),
            "favicon" => update.favicon = Some(None),
            "support" => update.support = Some(None),
            "email_footer" => update.email_footer = Some(None),
            "sign_in_text" => update.sign_in_text = Some(None),
            other => return Err(Error::field("reset", "unknown", format!("{other} is no field of a brand"))),
        }
    }
    update.colours = Some(colours);
    Ok(update)
}
