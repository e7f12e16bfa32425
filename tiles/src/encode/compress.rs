//! Content encodings of tiles.

use std::cell::RefCell;
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
/// The same of zstd; below zero it is quicker.
const ZSTD_LEVEL: i32 = -1;
/// Its table, of so many bits, stays in the processor's first cache: above
/// 128 kB, level -1 by itself has one more.
const ZSTD_HASH_BITS: u32 = 12;
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

    /// The bytes in this encoding; equal bytes give equal ones. They may lie in
    /// more room than they need.
    pub fn encode(self, bytes: &Bytes) -> io::Result<Bytes> {
        match self {
            Self::Identity => Ok(bytes.clone()),
            Self::Gzip => gzip(bytes, Bytes::copy_from_slice),
            Self::Zstd => zstd(bytes),
            Self::Brotli => {
                let mut encoded = Vec::new();
                let parameters = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
                brotli::BrotliCompress(&mut &bytes[..], &mut encoded, &parameters)?;
                Ok(encoded.into())
            }
        }
    }
}

/// What compresses with gzip, and room for what comes out, which it wants
/// written before.
struct Gzip {
    compressor: libdeflater::Compressor,
    room: Vec<u8>,
}

/// More room than this is given back.
const MOST_ROOM: usize = 4 << 20;

// Kept by each thread: their tables have hundreds of kilobytes, which cost
// more to make than many a tile to compress.
thread_local! {
    static GZIP: RefCell<Gzip> = {
        let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
        RefCell::new(Gzip { compressor: libdeflater::Compressor::new(level), room: Vec::new() })
    };
    static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// How many the bytes are with gzip.
pub(crate) fn gzip_len(bytes: &[u8]) -> io::Result<usize> {
    gzip(bytes, <[u8]>::len)
}

/// What becomes of the bytes with gzip.
fn gzip<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
    GZIP.with_borrow_mut(|Gzip { compressor, room }| {
        let most = compressor.gzip_compress_bound(bytes.len());
        if room.len() < most {
            room.resize(most, 0);
        }
        let length = compressor.gzip_compress(bytes, room).map_err(io::Error::other)?;
        let encoded = read(&room[..length]);
        if room.len() > MOST_ROOM {
            *room = Vec::new();
        }
        Ok(encoded)
    })
}

fn zstd(bytes: &[u8]) -> io::Result<Bytes> {
    ZSTD.with_borrow_mut(|compressor| {
        let compressor = if let Some(compressor) = compressor {
            compressor
        } else {
            let mut made = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
            made.set_parameter(zstd::zstd_safe::CParameter::HashLog(ZSTD_HASH_BITS))?;
            compressor.insert(made)
        };
        let mut encoded = Vec::with_capacity(zstd::zstd_safe::compress_bound(bytes.len()));
        compressor.compress_to_buffer(bytes, &mut encoded)?;
        Ok(encoded.into())
    })
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
