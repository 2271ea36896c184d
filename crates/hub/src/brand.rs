//! `tenantry brand`: the installation's own layer of every brand.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use msp::branding::{AssetKind, PlatformBrand, PlatformImage};
use recovery::jobs::Job;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::operator::{Failure, run};

/// `tenantry brand`
#[derive(Debug, Subcommand)]
pub enum Brand {
    /// Show it
    Show(Box<Show>),
    /// Set some of it; what is left out stays
    Set(Box<Set>),
}

/// `tenantry brand show`
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    settings: Settings,
}

/// `tenantry brand set`
#[derive(Debug, Args)]
pub struct Set {
    #[command(flatten)]
    settings: Settings,
    /// Name of the application
    #[arg(long)]
    name: Option<String>,
    /// The brand colour, #rrggbb
    #[arg(long, value_name = "COLOUR")]
    colour: Option<String>,
    /// A second colour, #rrggbb
    #[arg(long, value_name = "COLOUR")]
    accent: Option<String>,
    /// The logo: PNG, JPEG or SVG
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// The logo for dark backgrounds
    #[arg(long, value_name = "FILE")]
    logo_dark: Option<PathBuf>,
    /// The small picture in a browser's tab
    #[arg(long, value_name = "FILE")]
    favicon: Option<PathBuf>,
    /// What the link for help says
    #[arg(long, value_name = "TEXT", requires = "support_url")]
    support_label: Option<String>,
    /// The link for help, https: or mailto:
    #[arg(long, value_name = "URL", requires = "support_label")]
    support_url: Option<String>,
    /// Plain text at the end of e-mails
    #[arg(long, value_name = "TEXT")]
    email_footer: Option<String>,
    /// Plain text on the sign-in page
    #[arg(long, value_name = "TEXT")]
    sign_in_text: Option<String>,
    /// Fields that are set back to the built-in ones: name, colour, accent, logo_light, logo_dark, favicon, support, email_footer, sign_in_text
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    reset: Vec<String>,
}

/// Shows or sets the installation's brand.
///
/// # Errors
/// A file cannot be read, or what the job failed with.
pub async fn brand(what: Brand) -> Result<Value, Failure> {
    let set = match what {
        Brand::Show(show) => {
            let job = Job::Act { name: "brand_show".into(), body: json!({}) };
            return run(&show.settings.resolve()?, job).await;
        }
        Brand::Set(set) => *set,
    };
    let files = [
        (AssetKind::LogoLight, set.logo.as_deref()),
        (AssetKind::LogoDark, set.logo_dark.as_deref()),
        (AssetKind::Favicon, set.favicon.as_deref()),
    ];
    let mut images = Vec::new();
    for (kind, path) in files {
        if let Some(path) = path {
            images.push(PlatformImage::of(kind, &read(path)?));
        }
    }
    let asked = PlatformBrand {
        name: set.name,
        colour: set.colour,
        accent: set.accent,
        images,
        support_label: set.support_label,
        support_url: set.support_url,
        email_footer: set.email_footer,
        sign_in_text: set.sign_in_text,
        reset: set.reset,
    };
    run(&set.settings.resolve()?, Job::Act { name: "brand_set".into(), body: serde_json::to_value(asked)? }).await
}

/// The file, unless it is larger than any picture that is taken.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    let max = msp::branding::LOGO_BYTES_MAX as u64;
    if std::fs::metadata(path).map_err(said)?.len() > max {
        return Err(format!("{}: is larger than {} KiB", path.display(), max / 1024).into());
    }
    Ok(std::fs::read(path).map_err(said)?)
}
