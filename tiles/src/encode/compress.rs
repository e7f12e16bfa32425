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

    /// The bytes in this encoding; equal bytes give equal ones.
    pub fn encode(self, bytes: &Bytes) -> io::Result<Bytes> {
        match self {
            Self::Identity => Ok(bytes.clone()),
            Self::Gzip => gzip(bytes),
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

/// What compresses, with room for what comes out: kept by each thread, since
/// its tables have hundreds of kilobytes, which cost more to make than many a
/// tile to compress.
struct Kept<C> {
    compressor: C,
    room: Vec<u8>,
}

/// More room than this is given back.
const MOST_ROOM: usize = 4 << 20;

thread_local! {
    static GZIP: RefCell<Kept<libdeflater::Compressor>> = {
        let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
        RefCell::new(Kept { compressor: libdeflater::Compressor::new(level), room: Vec::new() })
    };
    static ZSTD: RefCell<Option<Kept<zstd::bulk::Compressor<'static>>>> = const { RefCell::new(None) };
}

impl<C> Kept<C> {
    /// What the compressor makes of the bytes, which has at most `most`.
    fn run(&mut self, most: usize, compress: impl FnOnce(&mut C, &mut [u8]) -> io::Result<usize>) -> io::Result<Bytes> {
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let length = compress(&mut self.compressor, &mut self.room)?;
        // Of its own length: a tile may be kept for long.
        let encoded = Bytes::copy_from_slice(&self.room[..length]);
        if self.room.len() > MOST_ROOM {
            self.room = Vec::new();
        }
        Ok(encoded)
    }
}

/// The bytes with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Bytes> {
    GZIP.with_borrow_mut(|kept| {
        let most = kept.compressor.gzip_compress_bound(bytes.len());
        kept.run(most, |compressor, room| compressor.gzip_compress(bytes, room).map_err(io::Error::other))
    })
}

fn zstd(bytes: &[u8]) -> io::Result<Bytes> {
    ZSTD.with_borrow_mut(|kept| {
        let kept = match kept {
            Some(kept) => kept,
            None => kept.insert(Kept { compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL)?, room: Vec::new() }),
        };
        let most = zstd::zstd_safe::compress_bound(bytes.len());
        kept.run(most, |compressor, room| compressor.compress_to_buffer(bytes, room))
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
