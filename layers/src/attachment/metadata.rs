//! What a photograph says besides what it shows: where it was taken, when, by
//! which device, small pictures of what was cut off. None of it is kept, but
//! the colours' profile and how the picture is to be turned; not a pixel is
//! coded anew.

use bytes::Bytes;
use image::metadata::Orientation;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use img_parts::riff::RiffContent;
use img_parts::webp::{self, WebP};
use img_parts::{ImageEXIF, ImageICC};

/// Chunks of a PNG that say how it looks (W3C PNG, third edition, 11.2 and 11.3).
const OF_LOOKS: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV",
    b"cLLI", b"bKGD", b"pHYs",
];

/// An image without it; none where it is broken.
pub(super) fn without(image: Bytes, media_type: &str, orientation: Orientation) -> Option<Bytes> {
    let turned = (orientation != Orientation::NoTransforms).then(|| exif(orientation));
    match media_type {
        "image/jpeg" => jpeg(image, turned),
        "image/png" => png(image, turned),
        "image/webp" => webp(image, turned),
        _ => None,
    }
}

/// The application segments go, but for the colours: JFIF's (APP0), the profile
/// (in APP2), Adobe's (APP14), which says how they are coded. What follows the
/// image goes too: telephones put further pictures and films there.
fn jpeg(image: Bytes, turned: Option<Bytes>) -> Option<Bytes> {
    let mut jpeg = Jpeg::from_bytes(image).ok()?;
    let profile = jpeg.icc_profile();
    let is_of_looks = |segment: &JpegSegment| match segment.marker() {
        markers::APP0 => segment.contents().starts_with(b"JFIF\0"),
        markers::APP14 => segment.contents().starts_with(b"Adobe"),
        markers::COM => false,
        marker => !(markers::APP1..=markers::APP15).contains(&marker),
    };
    jpeg.segments_mut().retain(is_of_looks);
    let scan = jpeg.segments().last().filter(|segment| segment.has_entropy())?;
    let coded = scan.len_with_entropy() - scan.len();
    jpeg.set_icc_profile(profile);
    jpeg.set_exif(turned);
    let kept = jpeg.encoder().bytes();
    let scan = kept.len() - coded;
    Some(kept.slice(..scan + end_of_image(&kept[scan..])?))
}

/// In what follows a JPEG's first scan header, the place after its end marker;
/// none where it has none (ITU-T T.81, B.1.1).
fn end_of_image(coded: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += coded.get(at..)?.iter().position(|byte| *byte == markers::P)? + 1;
        match *coded.get(at)? {
            markers::EOI => return Some(at + 1),
            // A byte of the picture that happens to be 0xFF, a fill byte, or a
            // marker that stands alone.
            markers::Z | markers::P | markers::RST0..=markers::RST7 => {}
            _ => {
                let length = coded.get(at + 1..at + 3)?.first_chunk()?;
                at += 1 + usize::from(u16::from_be_bytes(*length));
            }
        }
    }
}

fn png(image: Bytes, turned: Option<Bytes>) -> Option<Bytes> {
    let mut png = Png::from_bytes(image).ok()?;
    png.chunks_mut().retain(|chunk| OF_LOOKS.contains(&&chunk.kind()));
    png.set_exif(turned);
    Some(png.encoder().bytes())
}

fn webp(image: Bytes, turned: Option<Bytes>) -> Option<Bytes> {
    let mut webp = WebP::from_bytes(image).ok()?;
    webp.chunks_mut().retain(|chunk| {
        let of_looks = [
            webp::CHUNK_VP8X,
            webp::CHUNK_VP8,
            webp::CHUNK_VP8L,
            webp::CHUNK_ALPH,
            webp::CHUNK_ICCP,
            webp::CHUNK_ANIM,
            webp::CHUNK_ANMF,
        ];
        of_looks.contains(&chunk.id()) && matches!(chunk.content(), RiffContent::Data(_))
    });
    // Sets what the header says of it, too.
    webp.set_exif(turned);
    Some(webp.encoder().bytes())
}

/// EXIF that says how the picture is to be turned, and nothing else: one entry,
/// of one short (TIFF 6.0, section 2; tag 274, Orientation).
fn exif(orientation: Orientation) -> Bytes {
    let mut exif = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    exif[18] = orientation.to_exif();
    Bytes::copy_from_slice(&exif)
}
