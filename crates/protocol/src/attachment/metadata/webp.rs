//! WebP: a RIFF file of chunks. The first one of the extended form, `VP8X`, says by flags which others there are.

use super::exif::Orientation;
use super::{Stripped, take};

/// Flag of `VP8X`: there is EXIF.
const FLAG_EXIF: u8 = 0x08;
/// Flag of `VP8X`: there is XMP.
const FLAG_XMP: u8 = 0x04;
/// Chunks that make up the picture; the others are metadata or unknown.
const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];

/// The picture without metadata; `None` if it is damaged.
pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let mut rest = file.strip_prefix(b"RIFF")?;
    let size = usize::try_from(u32::from_le_bytes(*take(&mut rest, 4)?.first_chunk()?)).ok()?;
    let mut rest = take(&mut rest, size)?.strip_prefix(b"WEBP")?;
    let orientation = find_orientation(rest)?;
    let mut body = b"WEBP".to_vec();
    let mut extended = false;
    while let Some((name, content)) = chunk(&mut rest)? {
        if !KEPT.contains(&&name) {
            continue;
        }
        match content {
            [flags, others @ ..] if &name == b"VP8X" => {
                extended = true;
                let exif = if orientation.is_upright() { 0 } else { FLAG_EXIF };
                let flags = flags & !(FLAG_EXIF | FLAG_XMP) | exif;
                append(&mut body, &name, &[&[flags], others].concat())?;
            }
            _ => append(&mut body, &name, content)?,
        }
    }
    // Only the extended form has a place for EXIF.
    let orientation = if extended { orientation } else { Orientation::UPRIGHT };
    if !orientation.is_upright() {
        append(&mut body, b"EXIF", &orientation.to_tiff())?;
    }
    let bytes = [b"RIFF", u32::try_from(body.len()).ok()?.to_le_bytes().as_slice(), &body].concat();
    Some(Stripped { bytes, orientation })
}

/// What the EXIF chunk, which comes last, says; upright if there is none.
fn find_orientation(mut rest: &[u8]) -> Option<Orientation> {
    let mut found = Orientation::UPRIGHT;
    while let Some((name, content)) = chunk(&mut rest)? {
        if &name == b"EXIF" {
            found = Orientation::from_tiff(content.strip_prefix(b"Exif\0\0").unwrap_or(content));
        }
    }
    Some(found)
}

/// Reads the next chunk; `Some(None)` at the end, `None` if it is cut short. Chunks are padded to even lengths; the
/// padding of the last one may be missing.
#[allow(clippy::type_complexity)]
fn chunk<'a>(rest: &mut &'a [u8]) -> Option<Option<([u8; 4], &'a [u8])>> {
    if rest.is_empty() {
        return Some(None);
    }
    let name = *take(rest, 4)?.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*take(rest, 4)?.first_chunk()?)).ok()?;
    let content = take(rest, length)?;
    if length % 2 == 1 && !rest.is_empty() {
        take(rest, 1)?;
    }
    Some(Some((name, content)))
}

fn append(out: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) -> Option<()> {
    out.extend_from_slice(name);
    out.extend_from_slice(&u32::try_from(content.len()).ok()?.to_le_bytes());
    out.extend_from_slice(content);
    if content.len() % 2 == 1 {
        out.push(0);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (name, content) in chunks {
            append(&mut body, name, content).unwrap();
        }
        [b"RIFF", (body.len() as u32).to_le_bytes().as_slice(), &body].concat()
    }

    #[test]
    fn metadata_go_and_the_picture_stays() {
        let mut file = with(&[
            (b"VP8X", b"\x2c\0\0\0aaabbb"),
            (b"ICCP", b"odd"),
            (b"VP8 ", b"picture"),
            (b"EXIF", &Orientation::UPRIGHT.to_tiff()),
            (b"XMP ", b"<x/>"),
            (b"C2PA", b"who edited it"),
        ]);
        file.extend_from_slice(b"and something more");
        let expected = with(&[(b"VP8X", b"\x20\0\0\0aaabbb"), (b"ICCP", b"odd"), (b"VP8 ", b"picture")]);
        assert_eq!(strip(&file), Some(Stripped { bytes: expected, orientation: Orientation::UPRIGHT }));
        let simple = with(&[(b"VP8L", b"picture!")]);
        assert_eq!(strip(&simple).unwrap().bytes, simple);
        assert_eq!(strip(&simple[..simple.len() - 1]), None);
    }

    #[test]
    fn the_orientation_survives_alone() {
        let mut tiff = Orientation::UPRIGHT.to_tiff().to_vec();
        tiff[19] = 3;
        let long = [b"Exif\0\0", &tiff[..], b"and GPS"].concat();
        let stripped =
            strip(&with(&[(b"VP8X", b"\x08---------"), (b"VP8 ", b"xy"), (b"EXIF", &long)])).unwrap();
        assert_eq!(stripped.orientation.value(), 3);
        let expected = with(&[(b"VP8X", b"\x08---------"), (b"VP8 ", b"xy"), (b"EXIF", &tiff)]);
        assert_eq!(stripped.bytes, expected);
    }
}
