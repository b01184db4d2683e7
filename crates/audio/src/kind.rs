//! Which kind of sound a file is, by its first bytes: what a sender says of it is not believed (spec 04 §10).

use super::tags;

/// A kind of file that can be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// MPEG-1 or -2, layer III.
    Mp3,
    /// AAC in ADTS frames.
    Aac,
    /// AAC in an MPEG-4 container.
    M4a,
    /// Vorbis in Ogg.
    Ogg,
    /// Plain samples.
    Wav,
}

impl Kind {
    /// The kind that the first bytes prove; `None` for what cannot be played.
    pub fn sniff(file: &[u8]) -> Option<Self> {
        let at =
            |offset: usize, wanted: &[u8]| file.get(offset..).is_some_and(|rest| rest.starts_with(wanted));
        if at(0, b"RIFF") && at(8, b"WAVE") {
            return Some(Self::Wav);
        } else if at(0, b"OggS") {
            return Some(Self::Ogg);
        } else if at(4, b"ftyp") {
            return Some(Self::M4a);
        }
        match tags::without_head(file) {
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Self::Aac),
            // A layer, a bit rate and a sample rate that exist: two bytes alone are found in anything.
            [0xff, second, third, ..]
                if second & 0xe0 == 0xe0
                    && second & 0x18 != 0x08
                    && second & 0x06 == 0x02
                    && third & 0xf0 != 0xf0
                    && third & 0x0c != 0x0c =>
            {
                Some(Self::Mp3)
            }
            _ => None,
        }
    }

    /// The MIME type that a voice message of this kind is sent with (spec 04 §10).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mp3",
            Self::Aac => "audio/aac",
            Self::M4a => "audio/mp4",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_first_bytes() {
        for (file, kind) in [
            (&b"\xff\xfb\x90\x00"[..], Some(Kind::Mp3)),
            (b"\xff\xf3\x40\x00", Some(Kind::Mp3)),
            (b"\xff\xf1\x50\x80", Some(Kind::Aac)),
            (b"ID3\x04\0\0\0\0\0\x02..\xff\xfb\x90\x00", Some(Kind::Mp3)),
            (b"ID3\x04\0\0\0\0\0\x00\xff\xf1\x50\x80", Some(Kind::Aac)),
            (b"\0\0\0\x20ftypM4A ", Some(Kind::M4a)),
            (b"OggS\0\x02", Some(Kind::Ogg)),
            (b"RIFF\0\0\0\0WAVEfmt ", Some(Kind::Wav)),
            (b"RIFF\0\0\0\0WEBPVP8 ", None),
            (b"\xff\xd8\xff\xe0", None),
            (b"\xff\xff\xff\xff", None),
            (b"ID3", None),
            (b"", None),
        ] {
            assert_eq!(Kind::sniff(file), kind, "{file:?}");
        }
    }
}
