//! Content encodings of what we compress ourselves: once, and not at each
//! answer as the outer layer would.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    /// Compresses, as hard as pays off for what is kept (`kept`) or is made
    /// for one answer.
    pub(super) fn compress(self, data: &[u8], kept: bool) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(data.to_vec()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(if kept { 9 } else { 5 }));
                encoder.write_all(data)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut compressed = Vec::new();
                let parameters =
                    brotli::enc::BrotliEncoderParams { quality: if kept { 10 } else { 4 }, ..Default::default() };
                brotli::BrotliCompress(&mut &data[..], &mut compressed, &parameters)?;
                Ok(compressed)
            }
        }
    }
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
        let gzip = Encoding::Gzip.compress(&data, false).unwrap();
        let mut back = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut back).unwrap();
        assert_eq!(back, data);
        let brotli = Encoding::Brotli.compress(&data, true).unwrap();
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &brotli[..], &mut back).unwrap();
        assert_eq!(back, data);
    }
}
