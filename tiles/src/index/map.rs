//! Memory maps of snapshot files: the one place of this crate with unsafe code.
#![expect(unsafe_code, reason = "a map is only as constant as its file")]

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::Mmap;

/// The file's content, mapped. The file must never change while the map is
/// there: ours are written under another name, and removed, not written again.
pub(super) fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: see above; nobody else writes in the private folder.
    let map = unsafe { Mmap::map(file) }?;
    Ok(Bytes::from_owner(map))
}
