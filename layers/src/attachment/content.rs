use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::overlay;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Limits, Rgba, RgbaImage};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::metadata;

/// What can be attached.
pub const MEDIA_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "application/pdf"];
/// The bytes of a file at most.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// The pixels of an image at most.
pub const MOST_PIXELS: u64 = 60_000_000;
/// A preview's longer side at most, in pixels.
pub const PREVIEW: u32 = 512;
/// A preview's media type.
pub const PREVIEW_TYPE: &str = "image/jpeg";

/// The memory that an image may take while it is looked into.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// A file that cannot be attached.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ContentError {
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It is too large.
    #[error("the file is too large: at most {} MB", MOST_BYTES / (1024 * 1024))]
    Large,
    /// It is none of [`MEDIA_TYPES`].
    #[error("by its content, the file is no photo (JPEG, PNG, WebP) and no PDF; save it as one of these")]
    MediaType,
    /// The image has too many pixels.
    #[error("the image has {width} by {height} pixels; at most {} million", MOST_PIXELS / 1_000_000)]
    Pixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// The image cannot be read to its end.
    #[error("the image is broken: it cannot be read to its end")]
    Broken,
}

/// A file as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    /// Without what it said of its maker.
    pub(super) bytes: Bytes,
    pub(super) sha256: [u8; 32],
    pub(super) picture: Option<Picture>,
}

/// What an image has besides.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    /// As it is shown, in pixels.
    pub(super) width: u32,
    pub(super) height: u32,
    /// A small JPEG of it.
    pub(super) preview: Bytes,
}

/// Looks into a file: what it is, by its content and not by its name; an image
/// is read to its end. Takes the time of that: hundreds of milliseconds.
pub(super) fn examine(file: Bytes) -> Result<Content, ContentError> {
    if file.is_empty() {
        return Err(ContentError::Empty);
    }
    if file.len() > MOST_BYTES {
        return Err(ContentError::Large);
    }
    let media_type = infer::get(&file).map(|kind| kind.mime_type());
    let media_type = MEDIA_TYPES.into_iter().find(|known| media_type == Some(known)).ok_or(ContentError::MediaType)?;
    let (bytes, picture) = if media_type.starts_with("image/") {
        let (bytes, picture) = look(file, media_type)?;
        (bytes, Some(picture))
    } else {
        (file, None)
    };
    let sha256 = Sha256::digest(&bytes).into();
    Ok(Content { media_type, bytes, sha256, picture })
}

fn look(file: Bytes, media_type: &str) -> Result<(Bytes, Picture), ContentError> {
    let broken = |_| ContentError::Broken;
    let mut reader =
        ImageReader::new(Cursor::new(file.clone())).with_guessed_format().map_err(|_| ContentError::Broken)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(ContentError::Pixels { width, height });
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let profile = decoder.icc_profile().map_err(broken)?;
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let bytes = metadata::without(file, media_type, orientation).ok_or(ContentError::Broken)?;

    let mut small = if width.max(height) > PREVIEW { image.thumbnail(PREVIEW, PREVIEW) } else { image };
    small.apply_orientation(orientation);
    let (width, height) = match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    };
    let preview = preview(&small, profile).map_err(broken)?;
    Ok((bytes, Picture { width, height, preview }))
}

/// A JPEG, on white where it was seen through, in the colours of its profile.
fn preview(small: &DynamicImage, profile: Option<Vec<u8>>) -> image::ImageResult<Bytes> {
    let mut paper = RgbaImage::from_pixel(small.width(), small.height(), Rgba([255; 4]));
    overlay(&mut paper, &small.to_rgba8(), 0, 0);
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, 80);
    // Of grey images or in ink it would be another colours' profile.
    if let Some(profile) = profile.filter(|_| small.color().has_color()) {
        encoder.set_icc_profile(profile).map_err(image::ImageError::Unsupported)?;
    }
    DynamicImage::ImageRgba8(paper).to_rgb8().write_with_encoder(encoder)?;
    Ok(out.into())
}
