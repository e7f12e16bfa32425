//! Smooth noise over the plane: what makes lines organic instead of ruled.

use geo::Coord;

/// Perlin's easing: flat at 0 and 1.
fn eased(t: f64) -> f64 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

/// A field of values between -1 and 1, the same for the same seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The value of a lattice node: splitmix64 of its place.
    fn node(self, i: i64, j: i64) -> f64 {
        let mut z = self
            .0
            .wrapping_add(i.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_add(j.cast_unsigned().wrapping_mul(0xc2b2_ae3d_27d4_eb4f));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// The field at a point, its hills about `wavelength` apart.
    pub(super) fn at(self, point: Coord, wavelength: f64) -> f64 {
        let split = |value: f64| (value.floor() as i64, eased(value - value.floor()));
        let (column, right) = split(point.x / wavelength);
        let (row, up) = split(point.y / wavelength);
        let mix = |a: f64, b: f64, part: f64| a + (b - a) * part;
        mix(
            mix(self.node(column, row), self.node(column + 1, row), right),
            mix(self.node(column, row + 1), self.node(column + 1, row + 1), right),
            up,
        )
    }

    /// Several octaves, each half the wavelength and half the height.
    pub(super) fn fractal(self, point: Coord, wavelength: f64, octaves: u32) -> f64 {
        let (mut sum, mut height, mut length, mut total) = (0.0, 1.0, wavelength, 0.0);
        for octave in 0..octaves {
            let shift = f64::from(octave) * 37.0;
            sum +=
                height * Self(self.0 ^ u64::from(octave)).at(Coord { x: point.x + shift, y: point.y - shift }, length);
            total += height;
            height *= 0.5;
            length *= 0.5;
        }
        sum / total
    }

    /// A displacement: two fields, as far as `reach` metres each. With `reach`
    /// below about a tenth of the wavelength the plane does not fold.
    pub(super) fn displacement(self, point: Coord, wavelength: f64, octaves: u32, reach: f64) -> Coord {
        let other = Self(self.0 ^ 0x5bd1_e995_0000_0000);
        Coord {
            x: reach * self.fractal(point, wavelength, octaves),
            y: reach * other.fractal(point, wavelength, octaves),
        }
    }
}
