//! The items of a HEIC or AVIF (ISO 23008-12): pictures, and notes about them, in one table.
//!
//! `iinf` gives each item a number and a type; `iloc` says where in the file its bytes are, in one or more pieces.

use std::collections::BTreeMap;
use std::ops::Range;

use super::box_list::{Found, Unreadable, boxes};
use super::take;

/// The content of an EXIF item that says nothing: where the TIFF structure begins, and one without entries.
pub(super) const EMPTY_EXIF: &[u8] = b"\0\0\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0";

/// Types of items that are pictures, or made of pictures.
const PICTURES: [&[u8; 4]; 17] = [
    b"hvc1", b"hev1", b"lhv1", b"hvt1", b"av01", b"avc1", b"vvc1", b"evc1", b"jpeg", b"j2k1", b"unci",
    b"grid", b"iovl", b"iden", b"tmap", b"tili", b"mski",
];
/// What a reader of pictures needs of the box around the table.
const NEEDED: [&[u8; 4]; 10] =
    [b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"dinf", b"ipro", b"grpl"];
/// More pieces than this are no picture but an attack on our memory.
const MOST_PIECES: usize = 100_000;

/// What a table of items says.
#[derive(Default)]
pub(super) struct Items {
    /// Where pictures are.
    pub pictures: Vec<Range<usize>>,
    /// Where notes are.
    pub notes: Vec<Range<usize>>,
    /// Where an empty EXIF block has room instead.
    pub exif: Vec<usize>,
    /// Boxes around the table that no reader of pictures needs.
    pub superfluous: Vec<Found>,
    /// Every note was found.
    pub complete: bool,
}

/// Whether this `meta` is of a file of pictures: its handler says so.
pub(super) fn is_picture(file: &[u8], meta: &Found) -> bool {
    let children = inside(meta).and_then(|part| boxes(file, part).ok()).unwrap_or_default();
    let handler = children.iter().find(|child| &child.name == b"hdlr");
    let content = handler.and_then(|handler| file.get(handler.content.clone()));
    content.and_then(|content| content.get(8..12)) == Some(b"pict")
}

/// The boxes' part of a `meta`, behind its version.
fn inside(meta: &Found) -> Option<Range<usize>> {
    let start = meta.content.start.checked_add(4)?;
    (start <= meta.content.end).then_some(start..meta.content.end)
}

/// Reads the table.
pub(super) fn read(file: &[u8], meta: &Found) -> Result<Items, Unreadable> {
    let children = boxes(file, inside(meta).ok_or(Unreadable)?)?;
    let content =
        |name: &[u8; 4]| children.iter().find(|child| &child.name == name).map(|it| it.content.clone());
    let types = match content(b"iinf") {
        Some(part) => types(file, part)?,
        None => BTreeMap::new(),
    };
    let mut items = Items { complete: true, ..Items::default() };
    if let Some(part) = content(b"iloc") {
        let table = file.get(part).ok_or(Unreadable)?;
        let places = places(table, file.len(), content(b"idat")).ok_or(Unreadable)?;
        for (id, pieces) in places {
            items.sort(types.get(&id), pieces);
        }
    }
    items.superfluous = children.into_iter().filter(|child| !NEEDED.contains(&&child.name)).collect();
    Ok(items)
}

impl Items {
    /// Takes an item's pieces for what its type says they are; `None` if they are somewhere that we cannot find.
    fn sort(&mut self, kind: Option<&[u8; 4]>, pieces: Option<Vec<Range<usize>>>) {
        let is_picture = kind.is_some_and(|kind| PICTURES.contains(&kind));
        match (kind, pieces) {
            (_, Some(pieces)) if is_picture => self.pictures.extend(pieces),
            (Some(b"Exif"), Some(pieces)) => {
                let room = pieces.first().filter(|piece| piece.len() >= EMPTY_EXIF.len());
                self.exif.extend(room.map(|piece| piece.start));
                self.notes.extend(pieces);
            }
            (Some(b"mime" | b"uri "), Some(pieces)) => self.notes.extend(pieces),
            (_, None) if is_picture => {}
            _ => self.complete = false,
        }
    }
}

/// The types of all items by their numbers.
fn types(file: &[u8], iinf: Range<usize>) -> Result<BTreeMap<u32, [u8; 4]>, Unreadable> {
    let head = file.get(iinf.clone()).ok_or(Unreadable)?;
    // Version and flags, then how many there are: 16 or 32 bits.
    let skipped = if head.first() == Some(&0) { 6 } else { 8 };
    let start = iinf.start.checked_add(skipped).filter(|start| *start <= iinf.end).ok_or(Unreadable)?;
    let mut types = BTreeMap::new();
    for entry in boxes(file, start..iinf.end)?.iter().filter(|entry| &entry.name == b"infe") {
        let entry = file.get(entry.content.clone()).ok_or(Unreadable)?;
        let (id, kind) = item(entry).ok_or(Unreadable)?;
        types.insert(id, kind);
    }
    Ok(types)
}

/// Number and type in an entry. Entries before version 2 have no type; they are of another kind of file.
fn item(mut entry: &[u8]) -> Option<(u32, [u8; 4])> {
    let version = *take(&mut entry, 4)?.first()?;
    let id = match version {
        2 => number(&mut entry, 2)?,
        3 => number(&mut entry, 4)?,
        _ => return None,
    };
    take(&mut entry, 2)?;
    Some((u32::try_from(id).ok()?, *entry.first_chunk::<4>()?))
}

/// Where each item's pieces are in the file; `None` for an item whose bytes are elsewhere, or put together from others.
type Places = Vec<(u32, Option<Vec<Range<usize>>>)>;

fn places(mut table: &[u8], file_length: usize, idat: Option<Range<usize>>) -> Option<Places> {
    let version = *take(&mut table, 4)?.first()?;
    let sizes = u16::try_from(number(&mut table, 2)?).ok()?;
    let nibble = |shift: u16| usize::from(sizes >> shift & 0xf);
    let (offset_size, length_size, base_size) = (nibble(12), nibble(8), nibble(4));
    let index_size = if version == 0 { 0 } else { nibble(0) };
    let wide = if version < 2 { 2 } else { 4 };
    let count = number(&mut table, wide)?;
    let mut all = Vec::new();
    let mut pieces_left = MOST_PIECES;
    for _ in 0..count {
        let id = u32::try_from(number(&mut table, wide)?).ok()?;
        let method = if version == 0 { 0 } else { number(&mut table, 2)? & 0xf };
        let reference = number(&mut table, 2)?;
        let base = number(&mut table, base_size)?;
        let source = match (method, reference, &idat) {
            (0, 0, _) => Some(0..file_length),
            (1, 0, Some(idat)) => Some(idat.clone()),
            _ => None,
        };
        let extents = usize::try_from(number(&mut table, 2)?).ok()?;
        pieces_left = pieces_left.checked_sub(extents)?;
        let mut pieces = source.as_ref().map(|_| Vec::new());
        for _ in 0..extents {
            number(&mut table, index_size)?;
            let offset = base.checked_add(number(&mut table, offset_size)?)?;
            let length = number(&mut table, length_size)?;
            let piece = source.as_ref().and_then(|source| piece(source, offset, length));
            pieces = pieces.zip(piece).map(|(mut pieces, piece)| {
                pieces.push(piece);
                pieces
            });
        }
        all.push((id, pieces));
    }
    Some(all)
}

/// A piece of a source. A length of 0 means all of it, which no note of a picture is.
fn piece(source: &Range<usize>, offset: u64, length: u64) -> Option<Range<usize>> {
    let start = source.start.checked_add(usize::try_from(offset).ok()?)?;
    let end = start.checked_add(usize::try_from(length).ok().filter(|length| *length > 0)?)?;
    (end <= source.end).then_some(start..end)
}

/// A big-endian number of 0 to 8 bytes; 0 of none.
fn number(rest: &mut &[u8], bytes: usize) -> Option<u64> {
    let bytes = (bytes <= 8).then(|| take(rest, bytes))??;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
