//! What e-mails wear. Whose brand is whose is another crate's business: it comes through a port.

use kernel::door::BoxFuture;
use kernel::news::Of;
use kernel::{Hub, Result, params};

/// A brand as e-mails show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Name of the application; also the sender's name.
    pub name: String,
    /// Main colour, `#rrggbb`.
    pub colour: String,
    /// Colour of text upon it, `#rrggbb`.
    pub text_on_colour: String,
    /// Address of the logo, whole; readers that show no pictures show the name.
    pub logo: Option<String>,
    /// Where help is to be had.
    pub support: Option<Support>,
    /// What stands below; may be empty.
    pub footer: String,
}

/// Where help is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// What the link says.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// Knows the brand of a place.
pub trait Brands: Send + Sync {
    /// The brand in effect.
    fn of<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<Brand>>;
}

/// Everybody's own name and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainBrands;

impl Brands for PlainBrands {
    fn of<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<Brand>> {
        Box::pin(async move {
            let mut tx = hub.system_read().await?;
            let row = match of {
                Of::Installation => None,
                Of::Provider(provider) => tx.opt("SELECT name FROM provider WHERE id = ?1", params![provider]).await?,
                Of::Tenant(tenant) => {
                    let sql = "SELECT v.name FROM tenant t JOIN provider v ON v.id = t.provider_id WHERE t.id = ?1";
                    tx.opt(sql, params![tenant]).await?
                }
            };
            let name = row.map_or_else(|| Ok("Tenantry".to_owned()), |mut row| row.take())?;
            Ok(Brand {
                name,
                colour: "#1c5d99".into(),
                text_on_colour: "#ffffff".into(),
                logo: None,
                support: None,
                footer: String::new(),
            })
        })
    }
}
