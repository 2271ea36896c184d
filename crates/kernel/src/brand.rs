//! How a place looks from outside: the type that crates show, and the port through which they ask for it. Which layers there are and who
//! may set them is the msp crate's business.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::door::{Hub, ReadTx, scope};
use crate::error::Result;
use crate::news::Of;

crate::kinds! {
    /// Whose look it is: one id per installation, provider and tenant, which says nothing of theirs.
    BrandMark BrandId "brd";
}

/// Whose look it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrandLayer {
    /// The installation's.
    Platform,
    /// A provider's.
    Provider,
    /// A tenant's.
    Tenant,
}

/// The look of a place, as it counts: every field from the layer that sets it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Brand {
    /// Whose.
    pub id: BrandId,
    /// Another one when anything about it changed.
    pub version: i64,
    /// The layer nearest to the place that sets any of it.
    pub layer: BrandLayer,
    /// Name of the application.
    pub name: String,
    /// Colours, `#rrggbb`.
    pub colours: BrandColours,
    /// The logo.
    pub logo: BrandLogo,
    /// Address of the small picture in a browser's tab.
    pub favicon: Option<String>,
    /// Whom to ask for help.
    pub support: Option<BrandSupport>,
    /// Plain text at the end of e-mails.
    pub email_footer: Option<String>,
    /// Plain text on the sign-in page.
    pub sign_in_text: Option<String>,
    /// How well text on the brand colour can be read.
    pub contrast: BrandContrast,
}

/// Colours of a brand, `#rrggbb` in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BrandColours {
    /// The brand colour.
    pub brand: String,
    /// Black or white, whichever is read better on it.
    pub text_on_brand: String,
    /// A second colour, for accents.
    pub accent: Option<String>,
}

/// A logo: addresses that begin with `/` and hold on every name of the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BrandLogo {
    /// For light backgrounds.
    pub light: Option<String>,
    /// For dark backgrounds; where there is none the light one stands there too.
    pub dark: Option<String>,
}

/// Whom to ask for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct BrandSupport {
    /// What the link says.
    pub label: String,
    /// `https:` or `mailto:`.
    pub url: String,
}

/// The contrast of a text colour on its background (WCAG 2.2, success criterion 1.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct BrandContrast {
    /// 1 to 21, to two decimals.
    pub ratio: f64,
    /// At least 4.5.
    pub ok: bool,
}

/// A picture of a brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandImage {
    /// Its media type.
    pub media: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Who knows how places look and by which names they are reached. Provided by the msp crate, wired in the hub.
pub trait Brands: Send + Sync {
    /// The brand at a name that the hub is reached by; for none and for an unknown one the installation's default.
    fn at_host<'a>(&'a self, hub: &'a Hub, host: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Brand>>>;

    /// The brand of a place.
    fn of<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<Arc<Brand>>>;

    /// The address, without a trailing slash, that links for people of a place begin with. Opens a transaction of its own: not to be
    /// called while one is open.
    fn link_base<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<String>>;

    /// The same for the tenant of an open transaction.
    fn tenant_link_base<'a>(&'a self, tx: &'a mut ReadTx<scope::Records>) -> BoxFuture<'a, Result<String>>;

    /// The picture at one of a brand's addresses (`logo`, `favicon`), if it is still there: for e-mails that carry it along.
    fn image<'a>(&'a self, hub: &'a Hub, address: &'a str) -> BoxFuture<'a, Result<Option<BrandImage>>>;
}

impl Hub {
    /// Who knows how places look, where that is wired.
    pub fn brands(&self) -> Option<Arc<dyn Brands>> {
        self.try_port::<Arc<dyn Brands>>().map(|brands| brands.as_ref().clone())
    }
}

/// A `Host` header's name in lower case, without port and trailing dot; none for what is no name that DNS or a person could have given
/// (RFC 1123: at most 253 letters, digits, hyphens and dots). Addresses in numbers are taken as they are.
pub fn host_name(authority: &str) -> Option<String> {
    let name = authority
        .rsplit_once(':')
        .map_or(authority, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { authority });
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let good = !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    good.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn a_host_is_a_name_without_its_port() {
        for (given, name) in [
            ("Portal.Acme.example:8443", Some("portal.acme.example")),
            ("hub.test", Some("hub.test")),
            ("hub.test.", Some("hub.test")),
            ("localhost", Some("localhost")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("", None),
            (":80", None),
            ("a..b", None),
            ("-a.example", None),
            ("a_b.example", None),
            ("[::1]:8080", None),
            ("evil.example/x", None),
            ("a.example@b", None),
            ("ä.example", None),
        ] {
            assert_eq!(host_name(given).as_deref(), name, "{given}");
        }
        assert_eq!(host_name(&format!("{}.example", "a".repeat(64))), None);
        assert_eq!(host_name(&["abcdefg"; 40].join(".")), None);
    }
}
