//! Files made of boxes (ISO 14496-12 and its kin): HEIC and AVIF pictures, MP4, MOV and 3GP videos, JPEG XL, JPEG 2000.
//!
//! A box is a length, a name of four letters, and content, which may be boxes again. Other boxes say at which byte of
//! the file a picture's or a sound's data lie, so nothing may move. Decision: what does not belong is overwritten where
//! it lies — its content with zeros, its name with `free`, which every reader skips. At the top only known names stay;
//! further down all notes go (`udta`, `meta`, `uuid`), which is where cameras put the place. EXIF and XMP of a HEIC or
//! AVIF are items whose bytes the table `iloc` locates; these are overwritten too.
//!
//! What cannot be found for sure is left, and the answer says so: a damaged file, data kept in other ways, a track of
//! measurements (some cameras record their position every second).

use std::ops::Range;

use super::box_list::{Found, Unreadable, boxes, leading_boxes};
use super::items;

/// Names that stay at the top.
const TOP: [&[u8; 4]; 19] = [
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"ssix", b"prft", b"pdin", b"meta",
    b"wide", b"JXL ", b"jxlc", b"jxlp", b"jxll", b"jP  ", b"jp2h", b"jp2c",
];
/// Boxes of boxes on the way to what describes a track.
const CONTAINERS: [&[u8; 4]; 7] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"];
/// Notes, below the top; `free` and `skip` are room left over, in which anything may stand.
const NOTES: [&[u8; 4]; 5] = [b"udta", b"meta", b"uuid", b"free", b"skip"];
/// Boxes that begin with when something was made, and when it was changed.
const DATED: [&[u8; 4]; 3] = [b"mvhd", b"tkhd", b"mdhd"];
/// Kinds of tracks that hold pictures, sound, text or the time.
const MEDIA: [&[u8; 4]; 9] =
    [b"vide", b"soun", b"pict", b"text", b"sbtl", b"subt", b"auxv", b"clcp", b"tmcd"];
/// What such a file may begin with; old videos have no `ftyp`.
const FIRST: [&[u8; 4]; 6] = [b"ftyp", b"JXL ", b"jP  ", b"moov", b"mdat", b"wide"];

/// Whether a file is made of boxes.
pub(super) fn is_one(file: &[u8]) -> bool {
    file.get(4..8).is_some_and(|name| FIRST.iter().any(|first| *first == name))
}

/// Overwrites everything that does not belong to picture and sound; the length stays the same. Returns whether
/// that was all there can be: `false` if something may be left.
pub(super) fn clean(file: &mut [u8]) -> bool {
    // A raw photograph keeps what a developing program needs among its notes.
    if file.get(8..12) == Some(b"crx ") {
        return false;
    }
    let mut plan = Plan { complete: true, ..Plan::default() };
    plan.read_top(file);
    plan.spare_the_picture();
    for at in &plan.renamed {
        put(file, *at, b"free");
    }
    for range in &plan.wiped {
        if let Some(bytes) = file.get_mut(range.clone()) {
            bytes.fill(0);
        }
    }
    for at in &plan.exif {
        put(file, *at, items::EMPTY_EXIF);
    }
    plan.complete
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = at.checked_add(bytes.len()).and_then(|end| file.get_mut(at..end)) {
        place.copy_from_slice(bytes);
    }
}

/// What is to be overwritten.
#[derive(Default)]
struct Plan {
    /// Where names are that become `free`.
    renamed: Vec<usize>,
    /// Contents that become zeros.
    wiped: Vec<Range<usize>>,
    /// Where an EXIF block without entries is to stand.
    exif: Vec<usize>,
    /// What belongs to a picture and must stay.
    kept: Vec<Range<usize>>,
    /// Everything was understood.
    complete: bool,
}

impl Plan {
    fn read_top(&mut self, file: &[u8]) {
        let (all, end) = leading_boxes(file, 0..file.len());
        self.complete = end == file.len();
        for found in all {
            match &found.name {
                b"meta" if items::is_picture(file, &found) => self.read_items(file, &found),
                name if name != b"meta" && TOP.contains(&name) => self.read_inside(file, &found),
                _ => self.remove(found),
            }
        }
    }

    /// Goes down into boxes of boxes and removes notes there. The depth is bounded by the short chain of containers
    /// that makes sense, not by what a file claims.
    fn read_inside(&mut self, file: &[u8], parent: &Found) {
        let mut below = vec![(parent.clone(), 0)];
        while let Some((parent, depth)) = below.pop() {
            if !CONTAINERS.contains(&&parent.name) {
                continue;
            }
            let Ok(children) = boxes(file, parent.content.clone()) else {
                self.complete = false;
                continue;
            };
            if &parent.name == b"mdia" {
                self.complete &= is_harmless(file, &parent, &children);
            }
            for child in children {
                match &child.name {
                    name if NOTES.contains(&name) => self.remove(child),
                    name if DATED.contains(&name) => self.wiped.extend(times(file, &child)),
                    // A compressed description of the whole video.
                    b"cmov" => self.complete = false,
                    _ if depth < CONTAINERS.len() => below.push((child, depth + 1)),
                    _ => self.complete = false,
                }
            }
        }
    }

    fn read_items(&mut self, file: &[u8], meta: &Found) {
        match items::read(file, meta) {
            Ok(items) => {
                self.complete &= items.complete;
                self.wiped.extend(items.notes);
                self.exif.extend(items.exif);
                self.kept.extend(items.pictures);
                items.superfluous.into_iter().for_each(|found| self.remove(found));
            }
            Err(Unreadable) => self.complete = false,
        }
    }

    fn remove(&mut self, found: Found) {
        self.renamed.push(found.name_at);
        self.wiped.push(found.content);
    }

    /// A file may claim that its notes lie where its picture does. Then the picture stays.
    fn spare_the_picture(&mut self) {
        let kept = joined(std::mem::take(&mut self.kept));
        let is_free = |range: &Range<usize>| {
            let next = kept.get(kept.partition_point(|picture| picture.end <= range.start));
            range.is_empty() || next.is_none_or(|picture| range.end <= picture.start)
        };
        let before = self.wiped.len();
        self.wiped.retain(is_free);
        self.exif.retain(|at| is_free(&(*at..at.saturating_add(items::EMPTY_EXIF.len()))));
        self.complete &= self.wiped.len() == before;
    }
}

/// The same bytes as ranges in order that do not touch each other.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

/// Where the two times of a dated box are: of four bytes each in its first version, else of eight.
fn times(file: &[u8], dated: &Found) -> Option<Range<usize>> {
    let version = file.get(dated.content.clone())?.first()?;
    let start = dated.content.start.checked_add(4)?;
    let end = start.checked_add(if *version == 0 { 8 } else { 16 })?;
    (end <= dated.content.end).then_some(start..end)
}

/// Whether a track's data can be no position: pictures, sound, text, or measurements that name what they are, and not
/// a location.
fn is_harmless(file: &[u8], media: &Found, children: &[Found]) -> bool {
    let handler = children.iter().find(|child| &child.name == b"hdlr");
    let content = handler.and_then(|handler| file.get(handler.content.clone()));
    let Some(kind) = content.and_then(|content| content.get(8..12)) else { return false };
    if MEDIA.iter().any(|known| *known == kind) {
        return true;
    }
    let description = file.get(media.content.clone()).unwrap_or_default();
    let says = |word: &[u8]| description.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    says(b"mebx") && !says(b"location")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clean;

    fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes(), name.as_slice(), content].concat()
    }

    /// What became of a box that was removed.
    fn freed(content_length: usize) -> Vec<u8> {
        boxed(b"free", &vec![0; content_length])
    }

    fn handler(kind: &[u8; 4]) -> Vec<u8> {
        boxed(b"hdlr", &[&[0; 8], kind.as_slice(), &[0; 13]].concat())
    }

    /// A video whose one track is of this kind, with these notes.
    fn video(kind: &[u8; 4], description: &[u8], notes: &[u8]) -> Vec<u8> {
        let table = boxed(b"minf", &boxed(b"stbl", &boxed(b"stsd", description)));
        let media = boxed(b"mdia", &[dated(b"mdhd", &[0; 8]), handler(kind), table].concat());
        let track = boxed(b"trak", &[dated(b"tkhd", &[0; 8]), media, notes.to_vec()].concat());
        let movie = boxed(b"moov", &[dated(b"mvhd", &[0; 8]), track, notes.to_vec()].concat());
        [boxed(b"ftyp", b"isom"), movie, boxed(b"mdat", b"frames")].concat()
    }

    fn dated(name: &[u8; 4], times: &[u8]) -> Vec<u8> {
        let version = u8::from(times.len() == 16);
        boxed(name, &[&[version, 0, 0, 0], times, b"length"].concat())
    }

    #[test]
    fn a_videos_notes_go_and_nothing_moves() {
        let notes = boxed(b"udta", &boxed(b"\xa9xyz", b"+52.5200+013.4050/"));
        let cleaned = clean(video(b"vide", b"avc1", &notes));
        assert_eq!(cleaned.bytes, video(b"vide", b"avc1", &freed(notes.len() - 8)));
        assert!(!cleaned.may_tell_place);
        for (name, content) in [(b"meta", &b"keys"[..]), (b"uuid", b"XMP"), (b"free", b"+52"), (b"skip", b"")]
        {
            let cleaned = clean(video(b"vide", b"avc1", &boxed(name, content)));
            assert_eq!(cleaned.bytes, video(b"vide", b"avc1", &freed(content.len())));
        }
        // At the top what nobody knows goes as well.
        let whole = video(b"soun", b"mp4a", b"");
        let cleaned = clean([whole.clone(), boxed(b"sefd", b"52.52"), boxed(b"uuid", b"GPS")].concat());
        assert_eq!((cleaned.bytes, cleaned.may_tell_place), ([whole, freed(5), freed(3)].concat(), false));
    }

    #[test]
    fn when_it_was_taken_goes() {
        for length in [8, 16] {
            let file = |byte| {
                [boxed(b"ftyp", b"isom"), boxed(b"moov", &dated(b"mvhd", &vec![byte; length]))].concat()
            };
            assert_eq!(clean(file(7)).bytes, file(0));
        }
    }

    #[test]
    fn a_track_that_can_hold_positions_is_told() {
        for (kind, description, tells) in [
            (b"vide", &b"hvc1"[..], false),
            (b"text", b"tx3g", false),
            (b"meta", b"mebx keys mdta com.apple.quicktime.detected-face", false),
            (b"meta", b"mebx keys mdta com.apple.quicktime.location.ISO6709", true),
            (b"meta", b"gpmd", true),
            (b"camm", b"camm", true),
        ] {
            assert_eq!(clean(video(kind, description, b"")).may_tell_place, tells, "{description:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_is_cleaned_all_the_same() {
        let notes = boxed(b"udta", b"52.52");
        let more = b"SEFT trailer of a phone";
        let cleaned = clean([video(b"vide", b"", &notes).as_slice(), more].concat());
        assert_eq!(cleaned.bytes, [video(b"vide", b"", &freed(5)).as_slice(), more].concat());
        assert!(cleaned.may_tell_place);
        assert!(clean(video(b"vide", b"", b"cut")).may_tell_place);
        let compressed = [boxed(b"ftyp", b"qt  "), boxed(b"moov", &boxed(b"cmov", b"zip"))].concat();
        assert!(clean(compressed).may_tell_place);
        let raw = [boxed(b"ftyp", b"crx "), boxed(b"moov", &boxed(b"uuid", b"GPS"))].concat();
        assert_eq!((clean(raw.clone()).bytes, clean(raw.clone()).may_tell_place), (raw, true));
    }

    #[test]
    fn pictures_in_boxes_lose_their_notes() {
        let start = boxed(b"JXL ", b"\r\n\x87\n");
        let file =
            |exif: Vec<u8>| [start.clone(), boxed(b"ftyp", b"jxl "), exif, boxed(b"jxlc", b"code")].concat();
        assert_eq!(clean(file(boxed(b"Exif", b"GPS"))).bytes, file(freed(3)));
    }

    /// Items: number, type, and where the bytes are: method, offset and length.
    type Item<'a> = (u16, &'a [u8; 4], u16, usize, usize);

    /// The table of a HEIC, with offsets of four bytes.
    fn items(list: &[Item<'_>], around: &[u8]) -> Vec<u8> {
        let count = (list.len() as u16).to_be_bytes();
        let (mut names, mut places) =
            ([&[0; 4], &count[..]].concat(), [&[1, 0, 0, 0, 0x44, 0], &count[..]].concat());
        for (id, kind, method, offset, length) in list {
            let entry = [&[2, 0, 0, 0], &id.to_be_bytes()[..], &[0, 0], *kind, b"\0"].concat();
            names.extend(boxed(b"infe", &entry));
            let (offset, length) = ((*offset as u32).to_be_bytes(), (*length as u32).to_be_bytes());
            places.extend(
                [&id.to_be_bytes()[..], &method.to_be_bytes(), &[0, 0], &[0, 1], &offset, &length].concat(),
            );
        }
        let parts =
            [handler(b"pict"), boxed(b"iinf", &names), boxed(b"iloc", &places), around.to_vec()].concat();
        boxed(b"meta", &[&[0; 4], parts.as_slice()].concat())
    }

    const PICTURE: &[u8] = b"picture";
    const XMP: &[u8] = b"<x:xmpmeta/>";

    fn exif() -> Vec<u8> {
        b"\0\0\0\0MM\0\x2a\0\0\0\x08\0\x01 GPS 52.5200, 13.4050".to_vec()
    }

    /// A HEIC with a picture, EXIF and XMP. `shift` moves where the table says that EXIF is.
    fn heic(shift: usize, exif: &[u8], xmp: &[u8], around: &[u8]) -> Vec<u8> {
        let kind = boxed(b"ftyp", b"heic\0\0\0\0mif1");
        let table = |start: usize| {
            let (exif_at, xmp_at) = (start + PICTURE.len(), start + PICTURE.len() + exif.len());
            items(
                &[
                    (1, b"hvc1", 0, start, PICTURE.len()),
                    (2, b"Exif", 0, exif_at - shift, exif.len()),
                    (3, b"mime", 0, xmp_at, xmp.len()),
                    (4, b"mime", 1, 4, 3),
                ],
                around,
            )
        };
        let start = kind.len() + table(0).len() + 8;
        [kind, table(start), boxed(b"mdat", &[PICTURE, exif, xmp].concat())].concat()
    }

    #[test]
    fn a_heic_keeps_its_picture_and_loses_exif_and_xmp() {
        let cleaned = clean(heic(0, &exif(), XMP, &boxed(b"idat", b"gridGPS")));
        let mut empty = b"\0\0\0\0MM\0\x2a\0\0\0\x08".to_vec();
        empty.resize(exif().len(), 0);
        let idat = boxed(b"idat", b"grid\0\0\0");
        assert_eq!(cleaned.bytes, heic(0, &empty, &[0; XMP.len()], &idat));
        assert!(!cleaned.may_tell_place);
        // Without an `idat`, where the fourth item claims to be, it cannot be found.
        assert!(clean(heic(0, &exif(), XMP, b"")).may_tell_place);
    }

    #[test]
    fn a_picture_is_never_overwritten_for_what_a_table_claims() {
        let idat = boxed(b"idat", b"gridGPS");
        let cleaned = clean(heic(1, &exif(), XMP, &idat));
        assert!(cleaned.may_tell_place);
        assert!(cleaned.bytes.windows(PICTURE.len()).any(|part| part == PICTURE));
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_bytes(rest: Vec<u8>) {
            for start in [&b"\0\0\0\x08ftyp"[..], b"\0\0\0\0moov", b"\0\0\0\x01mdat", b"\0\0\0\x0cJXL "] {
                let file = [start, &rest].concat();
                prop_assert_eq!(clean(file.clone()).bytes.len(), file.len());
            }
        }

        /// Files with some bytes changed: most are still read, so this reaches every branch.
        #[test]
        fn nothing_panics_on_damaged_files(picture: bool, changes in prop::collection::vec(any::<(usize, u8)>(), 1..6)) {
            let notes = boxed(b"udta", b"52.52");
            let mut file = match picture {
                true => heic(0, &exif(), XMP, &boxed(b"idat", b"gridGPS")),
                false => video(b"meta", b"mebx", &notes),
            };
            for (at, to) in changes {
                let at = at % file.len();
                file[at] = to;
            }
            let once = clean(file.clone());
            prop_assert_eq!(once.bytes.len(), file.len());
        }
    }
}
