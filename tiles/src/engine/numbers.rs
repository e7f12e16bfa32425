//! The numbers in a tile of values that may come again.

use std::cell::Cell;

/// By the values' codes.
pub(super) struct Numbers {
    /// The number + 1; 0 where the tile does not have the value.
    by_code: Vec<u32>,
    /// Codes from this one on are not here.
    end: u32,
    /// Codes with a number.
    used: Vec<u32>,
}

/// Of more values there would be too much memory for each thread.
const MOST: u32 = 1 << 18;

// Kept by each thread, without numbers: a tile has few of the values, and
// fresh memory for all of them would cost more than the tile.
thread_local! {
    static KEPT: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

impl Numbers {
    /// For the codes below `end`; none where these are too many.
    pub(super) fn of(end: u32) -> Option<Self> {
        if end > MOST {
            return None;
        }
        let mut by_code = KEPT.take();
        if by_code.len() < end as usize {
            by_code.resize(end as usize, 0);
        }
        Some(Self { by_code, end, used: Vec::new() })
    }

    pub(super) fn holds(&self, code: u32) -> bool {
        code < self.end
    }

    /// The number of a code that it [`holds`](Self::holds).
    pub(super) fn get(&self, code: u32) -> Option<u32> {
        self.by_code[code as usize].checked_sub(1)
    }

    pub(super) fn set(&mut self, code: u32, number: u32) {
        self.by_code[code as usize] = number + 1;
        self.used.push(code);
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        for code in &self.used {
            self.by_code[*code as usize] = 0;
        }
        KEPT.set(std::mem::take(&mut self.by_code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tile_begins_without_numbers() {
        let mut one = Numbers::of(10).expect("few");
        one.set(9, 0);
        assert_eq!((one.get(9), one.get(8), one.holds(10)), (Some(0), None, false));
        drop(one);
        let other = Numbers::of(5).expect("few");
        assert!(!other.holds(9) && (0..5).all(|code| other.get(code).is_none()));
        drop(other);
        assert_eq!(Numbers::of(10).expect("few").get(9), None);
        assert!(Numbers::of(MOST + 1).is_none());
    }
}
