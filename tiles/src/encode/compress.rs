//! Content encodings of tiles.

use std::io;

use bytes::Bytes;

/// How a tile's bytes are encoded (RFC 9110, 8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As they are.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
}

/// The level of gzip at which its time is worth its bytes: see
/// `docs/src/developer/tile-performance.md`.
const GZIP_LEVEL: i32 = 4;
/// The same of zstd.
const ZSTD_LEVEL: i32 = 1;
/// The same of brotli.
const BROTLI_QUALITY: i32 = 4;

impl Encoding {
    /// Its name in `Content-Encoding`; none for identity.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }

    /// What it adds to a tag: other bytes are another representation.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gzip",
            Self::Zstd => "-zstd",
            Self::Brotli => "-br",
        }
    }

    /// The bytes in this encoding; equal bytes give equal ones.
    pub fn encode(self, bytes: &Bytes) -> io::Result<Bytes> {
        match self {
            Self::Identity => Ok(bytes.clone()),
            Self::Gzip => gzip(bytes).map(Bytes::from),
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).map(Bytes::from),
            Self::Brotli => {
                let mut encoded = Vec::new();
                let parameters = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
                brotli::BrotliCompress(&mut &bytes[..], &mut encoded, &parameters)?;
                Ok(encoded.into())
            }
        }
    }
}

/// The bytes with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
    let mut compressor = libdeflater::Compressor::new(level);
    let mut encoded = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut encoded).map_err(io::Error::other)?;
    encoded.truncate(length);
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_encoded_is_the_same_inside() {
        let bytes = Bytes::from(b"la misma tesela, la misma tesela, la misma tesela".repeat(50));
        let decode = |encoding: Encoding| {
            let encoded = encoding.encode(&bytes).unwrap();
            assert!(encoding == Encoding::Identity || encoded.len() < bytes.len() / 2);
            let mut decoded = Vec::new();
            match encoding {
                Encoding::Identity => decoded.extend_from_slice(&encoded),
                Encoding::Gzip => {
                    flate2::read::GzDecoder::new(&encoded[..]).read_to_end(&mut decoded).unwrap();
                }
                Encoding::Zstd => decoded = zstd::bulk::decompress(&encoded, bytes.len()).unwrap(),
                Encoding::Brotli => brotli::BrotliDecompress(&mut &encoded[..], &mut decoded).unwrap(),
            }
            decoded
        };
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd, Encoding::Brotli] {
            assert_eq!(decode(encoding), bytes, "{encoding:?}");
        }
    }
}
