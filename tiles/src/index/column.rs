//! Arrays in the making, of any length.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytemuck::Pod;

use super::array::Array;
use super::map::map;

/// A column of more bytes than this goes on in a file.
const MOST_BYTES: usize = 32 << 20;
/// Bytes that are written to it at once.
const PORTION: usize = 1 << 20;

/// Where the files of long columns are made: in that folder, or nowhere, and
/// long columns are in memory, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch(Option<Arc<PathBuf>>);

impl Scratch {
    pub(crate) fn new(folder: Arc<PathBuf>) -> Self {
        Self(Some(folder))
    }

    /// Whether there is a folder.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// Values that come one after the other. What has become too long for the
/// memory is in a file without a name, which ends with its last reader.
#[derive(Debug)]
pub(super) struct Column<T> {
    scratch: Scratch,
    file: Option<File>,
    /// Those behind the file's.
    values: Vec<T>,
    /// How many are in the file.
    written: usize,
    /// Why the file could not be written: told at the end.
    failed: Option<io::Error>,
}

impl<T: Pod> Column<T> {
    pub(super) fn new(scratch: &Scratch) -> Self {
        Self { scratch: scratch.clone(), file: None, values: Vec::new(), written: 0, failed: None }
    }

    pub(super) fn len(&self) -> usize {
        self.written + self.values.len()
    }

    /// Bytes of memory of its own.
    pub(super) fn owned_bytes(&self) -> usize {
        size_of_val(self.values.as_slice())
    }

    pub(super) fn push(&mut self, value: T) {
        self.values.push(value);
        self.spill();
    }

    pub(super) fn extend_from_slice(&mut self, values: &[T]) {
        self.values.extend_from_slice(values);
        self.spill();
    }

    fn spill(&mut self) {
        let most = if self.file.is_some() { PORTION } else { MOST_BYTES };
        if self.owned_bytes() < most {
            return;
        }
        let Some(folder) = &self.scratch.0 else { return };
        if self.failed.is_none()
            && let Err(error) = write(&mut self.file, folder, bytemuck::cast_slice(&self.values))
        {
            self.failed = Some(error);
        }
        self.written += self.values.len();
        self.values.clear();
        self.values.shrink_to(PORTION / size_of::<T>());
    }

    /// The values, as they will stay.
    pub(super) fn finish(mut self) -> io::Result<Array<T>> {
        if self.failed.is_none() && self.file.is_some() {
            self.failed = self.file.as_mut().and_then(|file| file.write_all(bytemuck::cast_slice(&self.values)).err());
        }
        match (self.failed, self.file) {
            (Some(error), _) => Err(error),
            (None, None) => {
                self.values.shrink_to_fit();
                Ok(self.values.into())
            }
            (None, Some(file)) => Array::mapped(map(&file)?).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        }
    }
}

fn write(file: &mut Option<File>, folder: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(tempfile::tempfile_in(folder)?),
    };
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_column_is_the_same_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let count = MOST_BYTES / 8 + 3 * PORTION / 8 + 5;
        for scratch in [Scratch::default(), Scratch::new(Arc::new(folder.path().to_owned()))] {
            let mut column = Column::<u64>::new(&scratch);
            column.extend_from_slice(&[7; 3]);
            for value in 3..count as u64 {
                column.push(value);
            }
            assert_eq!(column.len(), count);
            assert_eq!(column.owned_bytes() <= PORTION, scratch.is_there());
            let array = column.finish().unwrap();
            assert_eq!(array.owned_bytes() == 0, scratch.is_there());
            assert!(array.len() == count && array[..3] == [7; 3]);
            assert!(array[3..].iter().zip(3..).all(|(value, expected)| *value == expected));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_told_at_the_end() {
        let folder = tempfile::tempdir().unwrap().path().join("gone");
        let mut column = Column::<u8>::new(&Scratch::new(Arc::new(folder)));
        column.extend_from_slice(&vec![0; 2 * MOST_BYTES]);
        assert!(column.finish().is_err());
    }
}
