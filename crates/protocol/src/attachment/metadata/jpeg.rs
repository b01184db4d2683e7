//! JPEG: a chain of segments, then the picture's data, in one or several scans.
//!
//! Kept are the segments a decoder needs, the JFIF header (without its preview picture), colour profiles and Adobe's
//! note on colours. EXIF, XMP, IPTC, comments, depth maps, second pictures and whatever follows the end are not.

use super::exif::Orientation;
use super::{Stripped, take};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;

/// Start of an EXIF segment's content.
const EXIF: &[u8] = b"Exif\0\0";

/// The picture without metadata; `None` if it is damaged.
pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let mut rest = file.strip_prefix(&[0xff, SOI])?;
    let mut orientation = None;
    let (mut head, mut body) = (Vec::new(), Vec::with_capacity(file.len()));
    loop {
        let marker = next_marker(&mut rest)?;
        match marker {
            EOI => break,
            // Markers without content.
            0x01 | 0xd0..=0xd7 => continue,
            SOI | 0x00 | 0xff => return None,
            _ => {}
        }
        let content = segment(&mut rest)?;
        match marker {
            APP0 if content.starts_with(b"JFIF\0") => {
                append(&mut head, APP0, &jfif_without_preview(content)?)?
            }
            APP1 => {
                if let Some(tiff) = content.strip_prefix(EXIF) {
                    orientation.get_or_insert(Orientation::from_tiff(tiff));
                }
            }
            APP2 if content.starts_with(b"ICC_PROFILE\0") => append(&mut body, marker, content)?,
            APP14 if content.starts_with(b"Adobe") => append(&mut body, marker, content)?,
            APP0..=APP15 | COM => {}
            _ => append(&mut body, marker, content)?,
        }
        if marker == SOS {
            body.extend_from_slice(scan(&mut rest));
        }
    }
    let orientation = orientation.unwrap_or(Orientation::UPRIGHT);
    if !orientation.is_upright() {
        append(&mut head, APP1, &[EXIF, &orientation.to_tiff()].concat())?;
    }
    let bytes = [&[0xff, SOI], head.as_slice(), body.as_slice(), &[0xff, EOI]].concat();
    Some(Stripped { bytes, orientation })
}

/// Reads up to and including the next marker. There may be any number of 0xff before it.
fn next_marker(rest: &mut &[u8]) -> Option<u8> {
    if *take(rest, 1)?.first()? != 0xff {
        return None;
    }
    loop {
        match *take(rest, 1)?.first()? {
            0xff => {}
            marker => return Some(marker),
        }
    }
}

/// Reads the content of a segment, behind its length.
fn segment<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(*take(rest, 2)?.first_chunk()?);
    take(rest, usize::from(length).checked_sub(2)?)
}

fn append(out: &mut Vec<u8>, marker: u8, content: &[u8]) -> Option<()> {
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&u16::try_from(content.len() + 2).ok()?.to_be_bytes());
    out.extend_from_slice(content);
    Some(())
}

/// Reads the data of a scan: up to the next marker that is neither a stuffed 0xff nor a restart mark.
fn scan<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let is_end = |pair: &[u8]| matches!(pair, [0xff, next] if !matches!(next, 0x00 | 0xd0..=0xd7 | 0xff));
    let end = rest.windows(2).position(is_end).unwrap_or(rest.len());
    let (data, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    *rest = after;
    data
}

/// The 14 bytes of a JFIF header, with the size of the preview set to nothing.
fn jfif_without_preview(content: &[u8]) -> Option<[u8; 14]> {
    let mut header = *content.first_chunk::<14>()?;
    let [.., width, height] = &mut header;
    (*width, *height) = (0, 0);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(segments: &[(u8, &[u8])]) -> Vec<u8> {
        let mut file = vec![0xff, SOI];
        for (marker, content) in segments {
            append(&mut file, *marker, content).unwrap();
            if *marker == SOS {
                file.extend_from_slice(b"scan\xff\x00data\xff\xd0more");
            }
        }
        file.extend_from_slice(&[0xff, EOI]);
        file
    }

    const JFIF: &[u8] = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0";

    #[test]
    fn metadata_go_and_the_picture_stays() {
        let mut preview = JFIF[..12].to_vec();
        preview.extend_from_slice(&[1, 1, 9, 9, 9]);
        let exif = [EXIF, &Orientation::from_tiff(b"").to_tiff()].concat();
        let mut file = with(&[
            (APP0, &preview),
            (APP0, b"JFXX\0preview"),
            (APP1, &exif),
            (APP1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
            (APP2, b"ICC_PROFILE\0\x01\x01profile"),
            (APP2, b"MPF\0second picture"),
            (0xed, b"Photoshop 3.0\0caption"),
            (COM, b"made by me"),
            (APP14, b"Adobe\0d\0\0\0\0\0"),
            (0xdb, b"tables"),
            (0xc2, b"frame"),
            (SOS, b"first"),
            (0xc4, b"tables"),
            (SOS, b"second"),
        ]);
        file.extend_from_slice(b"a whole video");
        let expected = with(&[
            (APP0, JFIF),
            (APP2, b"ICC_PROFILE\0\x01\x01profile"),
            (APP14, b"Adobe\0d\0\0\0\0\0"),
            (0xdb, b"tables"),
            (0xc2, b"frame"),
            (SOS, b"first"),
            (0xc4, b"tables"),
            (SOS, b"second"),
        ]);
        assert_eq!(strip(&file), Some(Stripped { bytes: expected, orientation: Orientation::UPRIGHT }));
    }

    #[test]
    fn the_orientation_survives_alone() {
        let mut tiff = Orientation::UPRIGHT.to_tiff().to_vec();
        tiff[19] = 6;
        tiff.extend_from_slice(b"GPS: 52.5, 13.4");
        let file = with(&[(APP0, JFIF), (APP1, &[EXIF, &tiff].concat()), (SOS, b"x")]);
        let stripped = strip(&file).unwrap();
        assert_eq!(stripped.orientation.value(), 6);
        assert_eq!(stripped.bytes, with(&[(APP0, JFIF), (APP1, &[EXIF, &tiff[..26]].concat()), (SOS, b"x")]));
    }

    #[test]
    fn a_picture_that_is_cut_short_is_damaged() {
        let file = with(&[(APP0, JFIF), (SOS, b"x")]);
        for length in 0..file.len() {
            assert_eq!(strip(&file[..length]), None, "{length}");
        }
    }
}
