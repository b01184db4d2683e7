//! Which kind of file it is: a MIME type for what we send, from the first bytes and the name; an ending for what we
//! save, from the type.
//!
//! The first bytes count more than the name: they decide how a receiver's decoder will see the file. Only where a
//! format is a container for many others (zip, ogg, text) the name says more.

/// Type of a file about which nothing is known.
pub const UNKNOWN: &str = "application/octet-stream";

/// Endings and their types; of several endings of a type the first is the one we give.
const TYPES: [(&str, &str); 62] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("apng", "image/apng"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("bmp", "image/bmp"),
    ("ico", "image/x-icon"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("svg", "image/svg+xml"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/x-msvideo"),
    ("mpg", "video/mpeg"),
    ("ogv", "video/ogg"),
    ("3gp", "video/3gpp"),
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("pdf", "application/pdf"),
    ("rtf", "application/rtf"),
    ("epub", "application/epub+zip"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("tgz", "application/gzip"),
    ("tar", "application/x-tar"),
    ("7z", "application/x-7z-compressed"),
    ("rar", "application/vnd.rar"),
    ("apk", "application/vnd.android.package-archive"),
    ("jar", "application/java-archive"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];

/// The type of a file to be sent, from its name and its first bytes (some 32 are enough).
pub fn guess(name: &str, start: &[u8]) -> &'static str {
    let by_name = by_extension(name);
    match sniff(start) {
        // Containers: the name tells what for.
        Some("application/zip" | "application/gzip" | "video/mp4" | "audio/ogg" | "video/x-matroska") => {
            by_name.or_else(|| sniff(start)).unwrap_or(UNKNOWN)
        }
        Some(found) => found,
        // A name alone makes no picture or sound: decoders would only fail on it.
        None => match by_name {
            Some(kind) if !start.is_empty() && has_signature(kind) => UNKNOWN,
            Some(kind) => kind,
            None => UNKNOWN,
        },
    }
}

/// The type that the first bytes prove, if they are of a format with a signature. Use this, not the type a sender
/// tells, to decide how to decode.
pub fn sniff(start: &[u8]) -> Option<&'static str> {
    let at =
        |offset: usize, signature: &[u8]| start.get(offset..).is_some_and(|rest| rest.starts_with(signature));
    let found = match start {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0xff, second, ..] if second & 0xf6 == 0xf0 => "audio/aac",
        [0xff, second, ..] if second & 0xe6 == 0xe2 => "audio/mpeg",
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        _ if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        _ if at(0, b"RIFF") && at(8, b"AVI ") => "video/x-msvideo",
        _ if at(4, b"ftyp") => media_container(start.get(8..12).unwrap_or_default()),
        _ if at(0, b"BM") && at(6, &[0; 4]) => "image/bmp",
        _ if at(0, &[0, 0, 1, 0]) && !at(4, &[0, 0]) => "image/x-icon",
        _ if at(0, b"II*\0") || at(0, b"MM\0*") => "image/tiff",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"ID3") => "audio/mpeg",
        _ if at(0, b"fLaC") => "audio/flac",
        _ if at(0, b"\x1a\x45\xdf\xa3") => "video/x-matroska",
        _ if at(0, b"%PDF-") => "application/pdf",
        _ if at(0, b"PK\x03\x04") => "application/zip",
        _ if at(0, b"\x1f\x8b") => "application/gzip",
        _ if at(0, b"7z\xbc\xaf\x27\x1c") => "application/x-7z-compressed",
        _ if at(0, b"Rar!\x1a\x07") => "application/vnd.rar",
        _ => return None,
    };
    Some(found)
}

/// The type of a received file: what its sender tells, unless that is wrong about whether it is a picture, or which
/// one. What claims to be one and is not, nobody is to decode; what is one and does not say so is shown as one.
pub fn received<'a>(claimed: &'a str, start: &[u8]) -> &'a str {
    let is_picture = |kind: &str| kind.starts_with("image/");
    match sniff(start) {
        Some(found) if is_picture(found) || is_picture(claimed) => found,
        None if is_picture(claimed) && has_signature(claimed) => UNKNOWN,
        _ => claimed,
    }
}

/// The usual ending for files of a type, without its dot.
pub fn extension(content_type: &str) -> Option<&'static str> {
    let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|(_, kind)| *kind == bare).map(|(extension, _)| *extension)
}

/// MP4 and its relatives differ by their brand.
fn media_container(brand: &[u8]) -> &'static str {
    match brand {
        b"avif" | b"avis" => "image/avif",
        b"heic" | b"heix" | b"hevc" => "image/heic",
        b"mif1" | b"msf1" => "image/heif",
        b"M4A " | b"M4B " => "audio/mp4",
        b"qt  " => "video/quicktime",
        [b'3', b'g', ..] => "video/3gpp",
        _ => "video/mp4",
    }
}

fn by_extension(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

/// Whether [`sniff`] would have known files of this type.
fn has_signature(kind: &str) -> bool {
    let is_media = ["image/", "audio/", "video/"].iter().any(|class| kind.starts_with(class));
    is_media && !matches!(kind, "image/svg+xml" | "video/mpeg")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_count_more_than_names() {
        for (name, start, kind) in [
            ("a.png", &b"\xff\xd8\xff\xe0"[..], "image/jpeg"),
            ("a", b"\x89PNG\r\n\x1a\n....", "image/png"),
            ("a.txt", b"GIF89a", "image/gif"),
            ("a.jpg", b"hello, this is text", UNKNOWN),
            ("a.txt", b"hello", "text/plain"),
            ("a.TXT", b"", "text/plain"),
            (
                "a.docx",
                b"PK\x03\x04",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ),
            ("a", b"PK\x03\x04", "application/zip"),
            ("a.m4a", b"\0\0\0\x20ftypisom", "audio/mp4"),
            ("a", b"\0\0\0\x20ftypisom", "video/mp4"),
            ("a", b"\0\0\0\x20ftypavif", "image/avif"),
            ("voice.aac", b"\xff\xf1\x50\x80", "audio/aac"),
            ("a.mp3", b"\xff\xfb\x90\x00", "audio/mpeg"),
            ("a", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            ("a.svg", b"<svg>", "image/svg+xml"),
            ("a.exe", b"MZ", UNKNOWN),
            (".png", b"", "image/png"),
            ("", b"", UNKNOWN),
        ] {
            assert_eq!(guess(name, start), kind, "{name} {start:?}");
        }
    }

    #[test]
    fn what_a_sender_calls_a_picture_must_be_one() {
        for (claimed, start, kind) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n"[..], "image/png"),
            ("image/png", b"\xff\xd8\xff\xe0", "image/jpeg"),
            ("image/png", b"MZ\x90", UNKNOWN),
            ("image/jpeg", b"PK\x03\x04", "application/zip"),
            ("application/octet-stream", b"GIF89a", "image/gif"),
            ("image/svg+xml", b"<svg>", "image/svg+xml"),
            ("audio/mp3", b"\xff\xfb\x90\x00", "audio/mp3"),
            ("text/plain", b"MZ", "text/plain"),
            ("", b"", ""),
        ] {
            assert_eq!(received(claimed, start), kind, "{claimed} {start:?}");
        }
    }

    #[test]
    fn endings_follow_from_types() {
        assert_eq!(extension("image/jpeg"), Some("jpg"));
        assert_eq!(extension("Video/QuickTime; codecs=x"), Some("mov"));
        assert_eq!(extension("audio/mp3"), Some("mp3"));
        assert_eq!(extension("application/x-unknown"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_bytes(name in ".*", start: Vec<u8>) {
            let _ = (guess(&name, &start), extension(&name));
        }
    }
}
