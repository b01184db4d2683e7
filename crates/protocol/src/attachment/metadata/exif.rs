//! The one thing we read from EXIF and write into it: which way up the picture is.

/// Tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// Type of its value: a 16-bit number.
const SHORT: u16 = 3;

/// How a picture is to be turned or mirrored when shown: the EXIF value, 1 to 8. 1 is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Nothing to be done.
    pub const UPRIGHT: Orientation = Orientation(1);

    /// The EXIF value, 1 to 8.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether there is nothing to be done.
    pub const fn is_upright(self) -> bool {
        self.0 == 1
    }

    /// Reads a TIFF structure (EXIF without its `Exif\0\0`). Upright if it does not say, or cannot be read.
    pub(super) fn from_tiff(tiff: &[u8]) -> Self {
        read(tiff).filter(|value| (1..=8).contains(value)).map_or(Self::UPRIGHT, |value| Self(value as u8))
    }

    /// A TIFF structure that holds nothing but this.
    pub(super) fn to_tiff(self) -> [u8; 26] {
        // Big-endian mark, offset of the only directory, its one entry (tag, type, count, value), no next one.
        [b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, self.0, 0, 0, 0, 0, 0, 0]
    }
}

/// The value of the orientation entry in the first directory.
fn read(tiff: &[u8]) -> Option<u16> {
    let big_endian = match tiff.first_chunk::<4>()? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let u16_at = |offset: usize| {
        let bytes = *tiff.get(offset..)?.first_chunk::<2>()?;
        Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let u32_at = |offset: usize| {
        let bytes = *tiff.get(offset..)?.first_chunk::<4>()?;
        Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let directory = usize::try_from(u32_at(4)?).ok()?;
    let entries = usize::from(u16_at(directory)?);
    (0..entries).map(|entry| directory.saturating_add(2 + entry * 12)).find_map(|entry| {
        let is_orientation = u16_at(entry)? == ORIENTATION && u16_at(entry.checked_add(2)?)? == SHORT;
        if is_orientation { u16_at(entry.checked_add(8)?) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_back() {
        for value in 1..=8 {
            assert_eq!(Orientation::from_tiff(&Orientation(value).to_tiff()).value(), value);
        }
        assert!(Orientation::from_tiff(&Orientation(9).to_tiff()).is_upright());
    }

    #[test]
    fn little_endian_is_read_too_and_other_entries_are_skipped() {
        let tiff =
            b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0abcd\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(Orientation::from_tiff(tiff).value(), 6);
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_bytes(rest: Vec<u8>, big_endian: bool) {
            let start: &[u8] = if big_endian { b"MM\0*" } else { b"II*\0" };
            let value = Orientation::from_tiff(&[start, &rest].concat()).value();
            prop_assert!((1..=8).contains(&value));
        }
    }
}
