//! Taking out of a picture what does not belong to the picture: where and when it was taken, with which camera, by
//! whom it was edited (spec 04 §9).
//!
//! Decision: this is done on the bytes, without decoding, so nothing of the picture itself changes. Only parts on a
//! short list of what a decoder needs are kept; everything else goes, also what nobody knows yet. Bytes after the
//! picture's end, where phones hide whole videos, go too.
//!
//! The orientation is not a secret, and without it photographs lie on their side. Where it is not upright, a new
//! EXIF block is written that holds nothing else; whoever re-encodes the picture anyway can turn it for good.

mod exif;
mod jpeg;
mod png;
mod webp;

pub use exif::Orientation;

/// A picture without metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripped {
    /// The picture; shows the same as before.
    pub bytes: Vec<u8>,
    /// How it is to be turned when shown. Viewers that know EXIF do it by themselves, as `bytes` still say so.
    pub orientation: Orientation,
}

/// The picture is damaged in a way that hides where its metadata are. Decode and encode it anew, or do not send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the picture is damaged")]
pub struct Damaged;

/// Strips a JPEG, PNG or WebP file, known by its first bytes. `None` for every other kind, which is to be sent as it
/// is.
pub fn strip(file: &[u8]) -> Option<Result<Stripped, Damaged>> {
    let stripped = match super::mime::sniff(file)? {
        "image/jpeg" => jpeg::strip(file),
        "image/png" => png::strip(file),
        "image/webp" => webp::strip(file),
        _ => return None,
    };
    Some(stripped.ok_or(Damaged))
}

/// Cuts the first `length` bytes off a file that is being read.
fn take<'a>(file: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = file.split_at_checked(length)?;
    *file = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_files_are_left_alone() {
        assert_eq!(strip(b"GIF89a"), None);
        assert_eq!(strip(b"%PDF-1.7"), None);
        assert_eq!(strip(b""), None);
        assert_eq!(strip(b"\xff\xd8\xff\xe1"), Some(Err(Damaged)));
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_bytes(rest: Vec<u8>) {
            for start in [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP"] {
                if let Some(Ok(stripped)) = strip(&[start, &rest].concat()) {
                    // What was stripped once has nothing left to strip.
                    prop_assert_eq!(strip(&stripped.bytes), Some(Ok(stripped)));
                }
            }
        }
    }
}
