//! The boxes that follow one another in a part of a file (ISO 14496-12).

use std::ops::Range;

/// A box: where its name and its content are in the file.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub name: [u8; 4],
    pub name_at: usize,
    pub content: Range<usize>,
}

/// The boxes of a part of the file; an error if they do not fill it exactly.
pub(super) fn boxes(file: &[u8], part: Range<usize>) -> Result<Vec<Found>, Unreadable> {
    let (found, end) = leading_boxes(file, part.clone());
    // QuickTime ends some lists with four zeros.
    let rest = file.get(end..part.end).ok_or(Unreadable)?;
    if rest.is_empty() || rest == [0; 4] { Ok(found) } else { Err(Unreadable) }
}

/// The boxes that a part of the file begins with, and where they end.
pub(super) fn leading_boxes(file: &[u8], part: Range<usize>) -> (Vec<Found>, usize) {
    let (mut found, mut at) = (Vec::new(), part.start);
    while let Some((one, length)) = file.get(at..part.end).and_then(|rest| first_box(rest, at)) {
        found.push(one);
        at += length;
    }
    (found, at)
}

/// The box that `rest`, which begins at this byte of the file, begins with, and its length; `None` if there is none or
/// it is cut short.
fn first_box(rest: &[u8], at: usize) -> Option<(Found, usize)> {
    let name = *rest.get(4..)?.first_chunk::<4>()?;
    let (head, length) = match u32::from_be_bytes(*rest.first_chunk::<4>()?) {
        // Up to the end.
        0 => (8, rest.len()),
        1 => (16, usize::try_from(u64::from_be_bytes(*rest.get(8..)?.first_chunk::<8>()?)).ok()?),
        length => (8, usize::try_from(length).ok()?),
    };
    let fits = head <= length && length <= rest.len();
    fits.then(|| (Found { name, name_at: at + 4, content: at + head..at + length }, length))
}

/// Not in the form it should have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unreadable;
