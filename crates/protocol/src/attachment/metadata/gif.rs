//! GIF: a head, then pictures and extensions, each a chain of short blocks.
//!
//! Kept are pictures, the extensions that time and place them, how often the animation repeats, and colour profiles.
//! Comments and every other program's extensions, XMP among them, are not.

use super::exif::Orientation;
use super::{Stripped, take};

const EXTENSION: u8 = 0x21;
const PICTURE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
/// Kinds of extensions.
const PLAIN_TEXT: u8 = 0x01;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;
/// Programs whose extensions say how the picture is shown.
const KEPT: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The picture without metadata; `None` if even its head is damaged. A picture that is cut short later, as many are
/// that viewers show all the same, ends with its last whole block.
pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let mut rest = file;
    let head = take(&mut rest, 13)?;
    let mut bytes = Vec::with_capacity(file.len());
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(take(&mut rest, colours(*head.get(10)?))?);
    while let Some((block, kept)) = block(&mut rest) {
        if kept {
            bytes.extend_from_slice(block);
        }
    }
    bytes.push(TRAILER);
    Some(Stripped { bytes, orientation: Orientation::UPRIGHT })
}

/// How many bytes of colours follow a head with these flags.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The next picture or extension, and whether it stays; `None` at the end.
fn block<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], bool)> {
    let whole = *rest;
    let kept = match *take(rest, 1)?.first()? {
        PICTURE => {
            let flags = *take(rest, 9)?.last()?;
            take(rest, colours(flags))?;
            // Then how codes are packed, then the picture.
            take(rest, 1)?;
            true
        }
        EXTENSION => match *take(rest, 1)?.first()? {
            PLAIN_TEXT | GRAPHIC_CONTROL => true,
            // Its first block is the program's name, and no byte longer.
            APPLICATION => rest
                .split_first_chunk::<12>()
                .is_some_and(|([length, name @ ..], _)| *length == 11 && KEPT.contains(&name)),
            _ => false,
        },
        _ => return None,
    };
    while let length @ 1.. = usize::from(*take(rest, 1)?.first()?) {
        take(rest, length)?;
    }
    Some((whole.get(..whole.len() - rest.len())?, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0aaabbb";
    const PIXEL: &[u8] = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";

    #[test]
    fn metadata_go_and_the_picture_stays() {
        let repeat = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0";
        let timing = b"\x21\xf9\x04\0\0\0\0\0";
        let comment = b"\x21\xfe\x05at 52\0";
        let xmp = b"\x21\xff\x0bXMP DataXMP\x04<x/>\0";
        let parts = [HEAD, repeat, comment, timing, xmp, PIXEL, b";and something more"];
        let expected = [HEAD, repeat, timing, PIXEL, b";"].concat();
        assert_eq!(strip(&parts.concat()).unwrap().bytes, expected);
        // Named behind its end, or longer than a name.
        for other in [&b"\x21\xff\0NETSCAPE2.0\x03\x01\0\0\0"[..], b"\x21\xff\x11NETSCAPE2.0at 52\0\0"] {
            let parts = [HEAD, other, PIXEL].concat();
            assert!(strip(&parts).unwrap().bytes.starts_with(HEAD));
            assert!(!strip(&parts).unwrap().bytes[HEAD.len()..].starts_with(b"\x21\xff"));
        }
        // Cut short, it ends with what is whole.
        let cut = [HEAD, timing, PIXEL, &PIXEL[..9]].concat();
        assert_eq!(strip(&cut).unwrap().bytes, [HEAD, timing, PIXEL, b";"].concat());
        assert_eq!(strip(&HEAD[..12]), None);
    }
}
