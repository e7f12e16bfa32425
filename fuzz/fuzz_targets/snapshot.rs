//! Whatever is in a snapshot file: it is refused, or can be read to its end.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use lindero_fuzz::{Drawn, features, layer};
use tiles::TileCoord;
use tiles::engine::fuzzing::{FuzzedIndex, mend};

/// A file as it should be.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut seed = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    })
    .take(60_000)
    .collect();
    let mut noise = Unstructured::new(&noise);
    let drawn: Vec<Drawn> = std::iter::from_fn(|| Drawn::arbitrary(&mut noise).ok()).take(150).collect();
    FuzzedIndex::new(layer(), &features(&drawn)).expect("an index").write()
});

#[derive(Debug, Arbitrary)]
enum Case {
    /// Bytes out of nowhere.
    Anything(Vec<u8>),
    /// A whole file with other bytes in some places, cut off somewhere;
    /// its checksums made right or not.
    Altered { changes: Vec<(u32, Vec<u8>)>, end: Option<u32>, mended: bool },
}

fuzz_target!(|case: Case| {
    let bytes = match case {
        Case::Anything(bytes) => bytes,
        Case::Altered { changes, end, mended } => {
            let mut bytes = WHOLE.clone();
            for (at, content) in changes {
                let at = at as usize % bytes.len();
                let end = (at + content.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&content[..end - at]);
            }
            if let Some(end) = end {
                bytes.truncate(end as usize % bytes.len());
            }
            if mended {
                mend(&mut bytes);
            }
            bytes
        }
    };
    let Some(index) = FuzzedIndex::read(layer(), bytes) else { return };
    for zoom in [0, 9, 14, 18, 22] {
        let tile = TileCoord::holding(zoom, -75.234_375, 4.433).expect("in the world");
        index.tile(tile);
    }
});
