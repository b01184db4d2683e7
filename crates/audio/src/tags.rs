//! Notes that programs leave around MPEG sound: title, place, program, pictures.
//!
//! They stand before the sound (ID3v2) or after it (ID3v1, APE, Lyrics3), so taking them out is cutting. Those of an
//! MPEG-4 file lie inside it and are overwritten where all such files are cleaned before they are sent.

/// More tags than this in a row are not looked for.
const MOST: usize = 16;

/// A file of MPEG sound from its first frame on.
pub fn without_head(file: &[u8]) -> &[u8] {
    let mut rest = file;
    for _ in 0..MOST {
        let Some(length) = id3v2(rest) else { break };
        rest = rest.get(length..).unwrap_or_default();
    }
    rest
}

/// A file of MPEG sound without anything before its first frame and after its last one.
pub fn without(file: &[u8]) -> &[u8] {
    let mut rest = without_head(file);
    for _ in 0..MOST {
        let Some(length) = id3v1(rest).or_else(|| ape(rest)).or_else(|| lyrics3(rest)) else { break };
        rest = rest.get(..rest.len().saturating_sub(length)).unwrap_or_default();
    }
    rest
}

/// The length of an ID3v2 tag at the beginning.
fn id3v2(file: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *file else { return None };
    let size = [a, b, c, d].into_iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}

/// The length of an ID3v1 tag at the end, with the longer one that may stand before it.
fn id3v1(file: &[u8]) -> Option<usize> {
    let begins = |from_end: usize, wanted: &[u8]| {
        let at = file.len().checked_sub(from_end)?;
        file.get(at..)?.starts_with(wanted).then_some(from_end)
    };
    begins(128, b"TAG").map(|length| begins(128 + 227, b"TAG+").unwrap_or(length))
}

/// The length of an APE tag at the end.
fn ape(file: &[u8]) -> Option<usize> {
    let footer = file.get(file.len().checked_sub(32)?..)?;
    let number =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(footer.get(at..at + 4)?.try_into().ok()?)) };
    footer.starts_with(b"APETAGEX").then_some(())?;
    let header = if number(20)? & 0x8000_0000 != 0 { 32 } else { 0 };
    Some(usize::try_from(number(12)?).ok()?.saturating_add(header))
}

/// The length of a Lyrics3 tag at the end.
fn lyrics3(file: &[u8]) -> Option<usize> {
    let end = file.get(file.len().checked_sub(15)?..)?;
    let digits = std::str::from_utf8(end.get(..6)?).ok()?;
    end.ends_with(b"LYRICS200").then_some(())?;
    Some(digits.parse::<usize>().ok()? + 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_around_the_sound_is_cut_off() {
        let sound = b"\xff\xfb\x90\x00 the sound ";
        let id3v2 = b"ID3\x04\0\0\0\0\0\x05title".as_slice();
        let mut id3v1 = b"TAG".to_vec();
        id3v1.resize(128, b'x');
        let mut ape = b"place".to_vec();
        ape.extend(b"APETAGEX\xd0\x07\0\0");
        ape.extend(37_u32.to_le_bytes());
        ape.resize(5 + 32, 0);
        let lyrics = b"LYRICSBEGINabcd000015LYRICS200".as_slice();
        for (head, tail) in [
            (&b""[..], &b""[..]),
            (id3v2, b""),
            (b"", &id3v1),
            (b"", &ape),
            (b"", lyrics),
            (&[id3v2, id3v2].concat(), &[lyrics, &ape, &id3v1].concat()),
        ] {
            let file = [head, sound, tail].concat();
            assert_eq!(without(&file), sound, "{} before, {} after", head.len(), tail.len());
        }
    }

    #[test]
    fn a_tag_that_claims_more_than_there_is_leaves_nothing() {
        assert_eq!(without(b"ID3\x04\0\0\x7f\x7f\x7f\x7f\xff\xfb"), b"");
    }
}
