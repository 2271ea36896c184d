//! Pictures as they come in and as they are kept.
//!
//! What a file is says its beginning, not its name; it must be what the request calls it. PNG and JPEG are decoded (within bounds) and
//! written anew, so that nothing of them is left but the picture: no position, no camera, no second file behind the first. SVG is
//! sanitised (see [`super::svg`]).

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::svg;

/// Which picture of a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// The logo for light backgrounds.
    LogoLight,
    /// The logo for dark backgrounds.
    LogoDark,
    /// The small picture in a browser's tab.
    Favicon,
}

/// Most bytes of a logo's file.
pub const LOGO_BYTES_MAX: usize = 512 * 1024;
/// Most pixels of a logo, each way.
pub const LOGO_PIXELS_MAX: u32 = 2_000;
/// Most bytes of a favicon's file.
pub const FAVICON_BYTES_MAX: usize = 64 * 1024;
/// Most pixels of a favicon, each way.
pub const FAVICON_PIXELS_MAX: u32 = 512;
/// How many times its file's bound a picture may take once it is written anew (a palette becomes pixels).
const WRITTEN_ANEW: usize = 4;
/// What decoding may take of memory.
const DECODE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many are decoded at the same time, and how long one waits for its turn.
static TURNS: Semaphore = Semaphore::const_new(2);
const TURN_MAX: Duration = Duration::from_secs(10);

impl AssetKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogoLight => "logo_light",
            Self::LogoDark => "logo_dark",
            Self::Favicon => "favicon",
        }
    }

    fn bytes_max(self) -> usize {
        if self == Self::Favicon { FAVICON_BYTES_MAX } else { LOGO_BYTES_MAX }
    }

    fn pixels_max(self) -> u32 {
        if self == Self::Favicon { FAVICON_PIXELS_MAX } else { LOGO_PIXELS_MAX }
    }
}

/// A picture as it is kept.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Which.
    pub kind: AssetKind,
    /// Its media type.
    pub media: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Takes a picture out of a request's body.
///
/// # Errors
/// `TooLarge`, `Invalid` (`content_type`, `image`), `Unavailable` while too many are looked at.
pub(super) async fn receive(kind: AssetKind, request: Request<Body>) -> Result<Picture> {
    let named = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = axum::body::to_bytes(request.into_body(), kind.bytes_max()).await.map_err(|_| too_large(kind))?;
    take(kind, Some(named), bytes.into()).await
}

/// Looks at a picture's file, outside of any transaction. `named` is what its sender calls it.
///
/// # Errors
/// As [`receive`].
pub(super) async fn take(kind: AssetKind, named: Option<String>, file: Vec<u8>) -> Result<Picture> {
    if file.len() > kind.bytes_max() {
        return Err(too_large(kind));
    }
    let busy = || Error::Unavailable("Too many pictures are being looked at. Try again in a moment.".into());
    let turn = tokio::time::timeout(TURN_MAX, TURNS.acquire()).await.map_err(|_| busy())?.map_err(Error::internal)?;
    let picture = tokio::task::spawn_blocking(move || look_at(kind, named.as_deref(), &file)).await.map_err(Error::internal)?;
    drop(turn);
    picture
}

fn too_large(kind: AssetKind) -> Error {
    let (max, what) = (kind.bytes_max() / 1024, kind.as_str());
    Error::TooLarge(format!("A {what} may have at most {max} KiB. Make the picture smaller, or send it as SVG."))
}

fn wrong(code: &str, message: impl Into<String>) -> Error {
    Error::field("image", code, message)
}

/// The media type that a file's beginning says.
fn sniff(file: &[u8]) -> Option<&'static str> {
    if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if file.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some("image/jpeg");
    }
    let head = String::from_utf8_lossy(&file[..file.len().min(4_096)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    (head.starts_with('<') && head.contains("<svg")).then_some("image/svg+xml")
}

fn look_at(kind: AssetKind, named: Option<&str>, file: &[u8]) -> Result<Picture> {
    let media = sniff(file).ok_or_else(|| wrong("unsupported_type", "is neither PNG, JPEG nor SVG; send one of these"))?;
    if named.is_some_and(|named| named != media) {
        return Err(Error::field("content_type", "mismatch", format!("the bytes are {media}; send them with this content type")));
    }
    let picture = match media {
        "image/png" => written_anew(kind, file, ImageFormat::Png, media)?,
        "image/jpeg" => written_anew(kind, file, ImageFormat::Jpeg, media)?,
        _ => {
            let drawing = svg::sanitise(file).map_err(|why| wrong("unsafe_or_broken", why))?;
            Picture { kind, media, width: drawing.width, height: drawing.height, bytes: drawing.bytes }
        }
    };
    // A drawing has no pixels: what it calls its size may be any unit.
    if picture.bytes.len() > WRITTEN_ANEW * kind.bytes_max() {
        return Err(wrong("too_detailed", "grows too large when it is stored; use fewer pixels, or send it as SVG"));
    }
    Ok(picture)
}

fn written_anew(kind: AssetKind, file: &[u8], format: ImageFormat, media: &'static str) -> Result<Picture> {
    let broken = |_| wrong("broken", "cannot be read to its end; save it again and send that");
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let max = kind.pixels_max();
    if width > max || height > max {
        let message = format!("is {width} × {height} pixels, at most {max} × {max} are allowed; scale it down");
        return Err(wrong("too_many_pixels", message));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    let mut bytes = Vec::new();
    if format == ImageFormat::Png {
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
        let image =
            if image.color().has_alpha() { DynamicImage::from(image.to_rgba8()) } else { DynamicImage::from(image.to_rgb8()) };
        image.write_with_encoder(encoder).map_err(Error::internal)?;
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 92);
        DynamicImage::from(image.to_rgb8()).write_with_encoder(encoder).map_err(Error::internal)?;
    }
    Ok(Picture { kind, media, width: image.width(), height: image.height(), bytes })
}
