//! PNG: a chain of chunks, each with a name and a checksum.

use super::exif::Orientation;
use super::{Stripped, take};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that say how the picture looks. Of the others, those that a decoder may not ignore (capital first letter)
/// are kept too; texts, EXIF, times and private chunks are not.
const KEPT: [&[u8; 4]; 16] = [
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST",
    b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT",
];

/// The picture without metadata; `None` if it is damaged.
pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let mut rest = file.strip_prefix(SIGNATURE)?;
    let mut bytes = Vec::with_capacity(file.len());
    bytes.extend_from_slice(SIGNATURE);
    let mut orientation = None;
    loop {
        let whole = rest;
        let length = usize::try_from(u32::from_be_bytes(*take(&mut rest, 4)?.first_chunk()?)).ok()?;
        let name = *take(&mut rest, 4)?.first_chunk::<4>()?;
        let content = take(&mut rest, length)?;
        take(&mut rest, 4)?;
        if &name == b"eXIf" {
            orientation.get_or_insert(Orientation::from_tiff(content));
        }
        if name.first()?.is_ascii_uppercase() || KEPT.contains(&&name) {
            if &name == b"IEND" {
                // Where a viewer would find it as well as in its first place.
                write_orientation(&mut bytes, orientation);
            }
            bytes.extend_from_slice(whole.get(..length + 12)?);
        }
        if &name == b"IEND" {
            return Some(Stripped { bytes, orientation: orientation.unwrap_or(Orientation::UPRIGHT) });
        }
    }
}

/// Writes an `eXIf` chunk if there is something to say.
fn write_orientation(out: &mut Vec<u8>, orientation: Option<Orientation>) {
    let Some(tiff) = orientation.filter(|orientation| !orientation.is_upright()).map(Orientation::to_tiff)
    else {
        return;
    };
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(b"eXIf");
    checksum.update(&tiff);
    out.extend_from_slice(&[0, 0, 0, tiff.len() as u8]);
    out.extend_from_slice(b"eXIf");
    out.extend_from_slice(&tiff);
    out.extend_from_slice(&checksum.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        for (name, content) in chunks {
            file.extend_from_slice(&(content.len() as u32).to_be_bytes());
            file.extend_from_slice(*name);
            file.extend_from_slice(content);
            let mut checksum = crc32fast::Hasher::new();
            checksum.update(*name);
            checksum.update(content);
            file.extend_from_slice(&checksum.finalize().to_be_bytes());
        }
        file
    }

    #[test]
    fn metadata_go_and_the_picture_stays() {
        let mut file = with(&[
            (b"IHDR", &[1; 13]),
            (b"iCCP", b"profile"),
            (b"tEXt", b"Author\0me"),
            (b"zTXt", b"x"),
            (b"iTXt", b"XML:com.adobe.xmp\0"),
            (b"tIME", b"2026..."),
            (b"eXIf", &Orientation::UPRIGHT.to_tiff()),
            (b"caBX", b"who edited it"),
            (b"IDAT", b"picture"),
            (b"fdAT", b"next picture"),
            (b"IEND", b""),
        ]);
        file.extend_from_slice(b"and something more");
        let kept: &[(&[u8; 4], &[u8])] = &[
            (b"IHDR", &[1; 13]),
            (b"iCCP", b"profile"),
            (b"IDAT", b"picture"),
            (b"fdAT", b"next picture"),
            (b"IEND", b""),
        ];
        assert_eq!(strip(&file), Some(Stripped { bytes: with(kept), orientation: Orientation::UPRIGHT }));
        for length in 0..with(kept).len() {
            assert_eq!(strip(&with(kept)[..length]), None, "{length}");
        }
    }

    #[test]
    fn the_orientation_survives_alone() {
        let mut tiff = Orientation::UPRIGHT.to_tiff().to_vec();
        tiff[19] = 8;
        let long = [&tiff[..], b"and GPS"].concat();
        let stripped =
            strip(&with(&[(b"IHDR", b""), (b"eXIf", &long), (b"IDAT", b""), (b"IEND", b"")])).unwrap();
        assert_eq!(stripped.orientation.value(), 8);
        assert_eq!(stripped.bytes, with(&[(b"IHDR", b""), (b"IDAT", b""), (b"eXIf", &tiff), (b"IEND", b"")]));
    }
}
