//! Content encodings of what the outer layer does not compress: tiles, and
//! the files that the build has compressed.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    /// The value of `Content-Encoding`.
    pub(super) fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// What it adds to a strong tag: other bytes are another representation.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gzip",
            Self::Brotli => "-br",
        }
    }
}

/// Compresses for one answer, quickly.
pub(super) fn gzip(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(5));
    encoder.write_all(data)?;
    encoder.finish()
}

/// Whether `Accept-Encoding` names the encoding, and not with a weight of 0.
pub(super) fn accepts(header: &str, encoding: Encoding) -> bool {
    let Some(name) = encoding.header() else { return true };
    header.split(',').any(|member| {
        let mut parts = member.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        coding.eq_ignore_ascii_case(name) && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_is_not_sent() {
        assert!(accepts("gzip, deflate, br, zstd", Encoding::Brotli));
        assert!(accepts("deflate, GZIP;q=0.5", Encoding::Gzip));
        assert!(!accepts("gzip;q=0, br", Encoding::Gzip));
        assert!(!accepts("", Encoding::Gzip));
        assert!(accepts("", Encoding::Identity));
    }

    #[test]
    fn what_is_compressed_is_the_same_inside() {
        let data = b"la misma tesela, la misma tesela, la misma tesela".repeat(50);
        let compressed = gzip(&data).unwrap();
        assert!(compressed.len() < data.len());
        let mut back = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut back).unwrap();
        assert_eq!(back, data);
    }
}
