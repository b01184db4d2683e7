//! Taking out of pictures and videos what does not belong to them: where and when they were taken, with which camera, by
//! whom they were edited (spec 04 §9).
//!
//! Decision: this is done on the bytes, without decoding, so nothing of the picture itself changes. In pictures that are
//! chains of parts ([`strip`]) only parts on a short list of what a decoder needs are kept; everything else goes, also
//! what nobody knows yet. Bytes after the picture's end, where phones hide whole videos, go too. Files in which nothing
//! may move (HEIC, AVIF, MP4 and their kin) keep their length, and what does not belong is overwritten.
//!
//! The orientation is not a secret, and without it photographs lie on their side. Where it is not upright, a new
//! EXIF block is written that holds nothing else; whoever re-encodes the picture anyway can turn it for good.
//!
//! Decision: where a place may be left, because a file is damaged or of a kind that we cannot take apart, the answer says
//! so ([`Cleaned::may_tell_place`]); the person decides before it is sent. Documents and archives are not looked into.

mod box_list;
mod boxes;
mod exif;
mod gif;
mod items;
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

/// A file of any kind, as clean as we can make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The file; shows and plays the same as before.
    pub bytes: Vec<u8>,
    /// It may still say where it was made.
    pub may_tell_place: bool,
    /// It begins as a picture and does not go on as one.
    pub damaged: bool,
}

/// Takes out of a file what we know how to find; files of other kinds stay as they are.
pub fn clean(mut file: Vec<u8>) -> Cleaned {
    if boxes::is_one(&file) {
        let may_tell_place = !boxes::clean(&mut file);
        return Cleaned { bytes: file, may_tell_place, damaged: false };
    }
    match strip(&file) {
        Some(Ok(stripped)) => Cleaned { bytes: stripped.bytes, may_tell_place: false, damaged: false },
        Some(Err(Damaged)) => Cleaned { bytes: file, may_tell_place: true, damaged: true },
        None => Cleaned { may_tell_place: can_tell_place(&file), bytes: file, damaged: false },
    }
}

/// Whether a file is of a kind that cameras and editors write a place into, and that we cannot clean.
fn can_tell_place(file: &[u8]) -> bool {
    /// TIFF and the raw photographs that are made like it, Fujifilm's, Photoshop's.
    const STARTS: [&[u8]; 9] =
        [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIU\0", b"IIRO", b"IIRS", b"FUJIFILMCCD-RAW", b"8BPS"];
    let has_tags = matches!(super::mime::sniff(file), Some("video/x-matroska" | "audio/ogg" | "audio/flac"));
    let mut words = file.windows(LOCATION.len());
    STARTS.iter().any(|start| file.starts_with(start))
        || has_tags && words.any(|word| word.eq_ignore_ascii_case(LOCATION))
}

/// What the tags of Matroska, Ogg and FLAC call a place, alone or as a part of a longer name.
const LOCATION: &[u8] = b"LOCATION";

/// Strips a JPEG, PNG, WebP or GIF file, known by its first bytes. `None` for every other kind.
pub fn strip(file: &[u8]) -> Option<Result<Stripped, Damaged>> {
    let stripped = match super::mime::sniff(file)? {
        "image/jpeg" => jpeg::strip(file),
        "image/png" => png::strip(file),
        "image/webp" => webp::strip(file),
        "image/gif" => gif::strip(file),
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
        assert_eq!(strip(b"%PDF-1.7"), None);
        assert_eq!(strip(b""), None);
        assert_eq!(strip(b"\xff\xd8\xff\xe1"), Some(Err(Damaged)));
    }

    #[test]
    fn what_cannot_be_cleaned_is_told() {
        for (file, tells) in [
            (&b"%PDF-1.7"[..], false),
            (b"", false),
            (b"\xff\xd8\xff\xe1", true),
            (b"MM\0*\0\0\0\x08", true),
            (b"8BPS", true),
            (b"OggS ... TITLE=x", false),
            (b"OggS ... geo_location=52.5", true),
            (b"\x1a\x45\xdf\xa3 ... RECORDING_LOCATION", true),
        ] {
            let cleaned = clean(file.to_vec());
            assert_eq!((cleaned.may_tell_place, cleaned.bytes.as_slice()), (tells, file));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_bytes(rest: Vec<u8>) {
            for start in [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", b"GIF89a"] {
                if let Some(Ok(stripped)) = strip(&[start, &rest].concat()) {
                    // What was stripped once has nothing left to strip.
                    prop_assert_eq!(strip(&stripped.bytes), Some(Ok(stripped)));
                }
            }
        }
    }
}
