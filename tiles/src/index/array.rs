use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bytemuck::Pod;
use bytes::Bytes;

/// Values side by side: in memory of their own, or in a snapshot file.
pub(crate) enum Array<T> {
    /// In memory.
    Owned(Vec<T>),
    /// In a file: whole, aligned values.
    Mapped(Bytes, PhantomData<T>),
}

impl<T: Pod> Array<T> {
    /// The values in those bytes of a file; none where they are not aligned or
    /// not whole.
    pub(super) fn mapped(bytes: Bytes) -> Option<Self> {
        bytemuck::try_cast_slice::<u8, T>(&bytes).ok()?;
        Some(Self::Mapped(bytes, PhantomData))
    }

    /// Bytes of memory of their own.
    pub(crate) fn owned_bytes(&self) -> usize {
        match self {
            Self::Owned(values) => size_of_val(values.as_slice()),
            Self::Mapped(..) => 0,
        }
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(values) => values,
            Self::Mapped(bytes, _) => bytemuck::cast_slice(bytes),
        }
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Owned(values)
    }
}

impl<T> Default for Array<T> {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl<T: Pod> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.len(), std::any::type_name::<T>())
    }
}
