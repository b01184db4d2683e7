//! How single fields are stored (spec 05 §9): the rules that all configs share.
//!
//! Reading never fails: a field of another type than expected reads as absent. Writing goes through types that cannot
//! hold what may not be stored, so that a refused change is refused before anything has changed.

use crate::time::Timestamp;

use super::value::{Dict, Scalar, Set, Value};

/// The longest name, in bytes of UTF-8.
pub const MAX_NAME: usize = 100;
/// The longest address of a picture, in bytes.
pub const MAX_PICTURE_URL: usize = 223;

/// Why a value is not stored. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A name of more than [`MAX_NAME`] bytes.
    #[error("the name is too long: {length} bytes, {MAX_NAME} are allowed")]
    NameTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A picture's address of more than [`MAX_PICTURE_URL`] bytes.
    #[error("the picture's address is too long")]
    UrlTooLong,
    /// A picture's key that is not 32 bytes long.
    #[error("the picture's key must be 32 bytes long")]
    PictureKey,
}

/// Cuts a name to [`MAX_NAME`] bytes, between two characters.
pub fn truncate_name(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or(name)
}

/// Refuses a name of more than [`MAX_NAME`] bytes.
pub(super) fn check_name(name: &str) -> Result<&str, FieldError> {
    if name.len() > MAX_NAME { Err(FieldError::NameTooLong { length: name.len() }) } else { Ok(name) }
}

/// Where an encrypted picture is, and the key it is encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    url: String,
    key: [u8; 32],
}

impl Picture {
    /// A picture at `url`. An empty address means that there is none, whatever the key.
    pub fn new(url: &str, key: &[u8]) -> Result<Option<Self>, FieldError> {
        if url.is_empty() {
            return Ok(None);
        }
        if url.len() > MAX_PICTURE_URL {
            return Err(FieldError::UrlTooLong);
        }
        let key = key.try_into().map_err(|_| FieldError::PictureKey)?;
        Ok(Some(Self { url: url.to_owned(), key }))
    }

    /// The address, 1 to [`MAX_PICTURE_URL`] bytes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

/// Shows that there is one: address and key are private.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Picture(…)")
    }
}

/// Typed access to the fields of one dict.
pub(super) trait Fields {
    /// A text that is not empty.
    fn text(&self, key: &[u8]) -> Option<String>;
    /// A truth value; absent is false.
    fn flag(&self, key: &[u8]) -> bool;
    /// An integer above zero.
    fn positive(&self, key: &[u8]) -> Option<u64>;
    /// Exactly `N` bytes.
    fn array<const N: usize>(&self, key: &[u8]) -> Option<[u8; N]>;
    /// A point in time kept in seconds.
    fn seconds(&self, key: &[u8]) -> Option<Timestamp>;
    /// A picture; one without a proper key is none.
    fn picture(&self, url: &[u8], key: &[u8]) -> Option<Picture>;
    /// A set of bit positions.
    fn bits(&self, key: &[u8]) -> u64;

    /// Stores a text; an empty one is absent.
    fn put_text(&mut self, key: &[u8], text: &str);
    /// Stores a text, also an empty one.
    fn put_always(&mut self, key: &[u8], text: &str);
    /// Stores a truth value; false is absent.
    fn put_flag(&mut self, key: &[u8], flag: bool);
    /// Stores an integer; zero is absent.
    fn put_nonzero(&mut self, key: &[u8], value: i64);
    /// Stores an integer; zero and `None` are absent.
    fn put_positive(&mut self, key: &[u8], value: Option<u64>);
    /// Stores a point in time in seconds; zero and `None` are absent.
    fn put_seconds(&mut self, key: &[u8], time: Option<Timestamp>);
    /// Stores a picture under two keys, or removes both.
    fn put_picture(&mut self, url: &[u8], key: &[u8], picture: Option<&Picture>);
    /// Stores the positions of the bits that are set.
    fn put_bits(&mut self, key: &[u8], bits: u64);
}

impl Fields for Dict {
    fn text(&self, key: &[u8]) -> Option<String> {
        let bytes = self.bytes(key).filter(|bytes| !bytes.is_empty())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn flag(&self, key: &[u8]) -> bool {
        self.int(key).is_some_and(|value| value != 0)
    }

    fn positive(&self, key: &[u8]) -> Option<u64> {
        u64::try_from(self.int(key)?).ok().filter(|&value| value > 0)
    }

    fn array<const N: usize>(&self, key: &[u8]) -> Option<[u8; N]> {
        self.bytes(key)?.try_into().ok()
    }

    fn seconds(&self, key: &[u8]) -> Option<Timestamp> {
        self.positive(key).map(|seconds| Timestamp::from_ms(seconds.saturating_mul(1000)))
    }

    fn picture(&self, url: &[u8], key: &[u8]) -> Option<Picture> {
        let url = self.text(url)?;
        let key = self.array(key)?;
        Some(Picture { url, key })
    }

    fn bits(&self, key: &[u8]) -> u64 {
        let positions = self.set(key).into_iter().flat_map(Set::iter);
        positions.fold(0, |bits, position| match position {
            Scalar::Int(position @ 0..64) => bits | 1 << position,
            _ => bits,
        })
    }

    fn put_text(&mut self, key: &[u8], text: &str) {
        if text.is_empty() { self.remove(key) } else { self.put_always(key, text) }
    }

    fn put_always(&mut self, key: &[u8], text: &str) {
        self.insert(key, Value::from(text.as_bytes()));
    }

    fn put_flag(&mut self, key: &[u8], flag: bool) {
        self.put_nonzero(key, flag.into());
    }

    fn put_nonzero(&mut self, key: &[u8], value: i64) {
        if value == 0 { self.remove(key) } else { self.insert(key, Value::Int(value)) }
    }

    fn put_positive(&mut self, key: &[u8], value: Option<u64>) {
        self.put_nonzero(key, value.map_or(0, |value| i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn put_seconds(&mut self, key: &[u8], time: Option<Timestamp>) {
        self.put_positive(key, time.map(Timestamp::as_secs));
    }

    fn put_picture(&mut self, url: &[u8], key: &[u8], picture: Option<&Picture>) {
        match picture {
            Some(picture) => {
                self.insert(url, Value::from(picture.url.as_bytes()));
                self.insert(key, Value::from(&picture.key[..]));
            }
            None => {
                self.remove(url);
                self.remove(key);
            }
        }
    }

    /// Members that are no positions of bits are kept: they are of a newer version.
    fn put_bits(&mut self, key: &[u8], bits: u64) {
        let unknown = self.set(key).cloned().unwrap_or_default();
        let unknown = unknown.iter().filter(|member| !matches!(member, Scalar::Int(0..64))).cloned();
        let positions = (0..64).filter(|position| bits >> position & 1 == 1).map(Scalar::Int);
        self.insert(key, Value::Set(unknown.chain(positions).collect()));
    }
}

/// Where a conversation stands in the list (spec 05 §9.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Priority(pub i64);

impl Priority {
    /// Not shown.
    pub const HIDDEN: Self = Self(-1);
    /// Shown, not pinned.
    pub const NORMAL: Self = Self(0);
    /// Pinned. Higher ones are further up.
    pub const PINNED: Self = Self(1);

    /// Whether the conversation is not shown: any negative number.
    pub const fn is_hidden(self) -> bool {
        self.0 < 0
    }

    /// Whether the conversation is pinned: any positive number.
    pub const fn is_pinned(self) -> bool {
        self.0 > 0
    }
}

/// When messages of a conversation disappear, and after how long (spec 05 §9.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disappearing {
    /// What starts the timer.
    pub after: After,
    /// The timer in seconds, not zero.
    pub seconds: u64,
}

/// What starts the timer of a message that disappears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// Sending it.
    Send,
    /// Reading it.
    Read,
}

impl Disappearing {
    /// From the two numbers that are stored. A mode without a timer, and an unknown mode, is none.
    pub fn from_wire(mode: i64, seconds: i64) -> Option<Self> {
        let after = match mode {
            1 => After::Send,
            2 => After::Read,
            _ => return None,
        };
        let seconds = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0)?;
        Some(Self { after, seconds })
    }

    pub(super) fn read(dict: &Dict, mode: &[u8], timer: &[u8]) -> Option<Self> {
        Self::from_wire(dict.int(mode)?, dict.int(timer)?)
    }

    /// The number of the mode, and the timer; both zero for none.
    pub fn to_wire(this: Option<Self>) -> (i64, i64) {
        match this {
            None => (0, 0),
            Some(Self { after, seconds }) => {
                let mode = match after {
                    After::Send => 1,
                    After::Read => 2,
                };
                (mode, i64::try_from(seconds).unwrap_or(i64::MAX))
            }
        }
    }
}

/// What to notify about (spec 05 §9.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Notifications {
    /// What the device does by default.
    #[default]
    Default,
    /// Every message.
    All,
    /// Nothing.
    Disabled,
    /// Mentions; groups and communities only.
    MentionsOnly,
}

impl Notifications {
    /// From the number that is stored; others are the default.
    pub const fn from_wire(value: i64) -> Self {
        match value {
            1 => Self::All,
            2 => Self::Disabled,
            3 => Self::MentionsOnly,
            _ => Self::Default,
        }
    }

    /// The number that is stored.
    pub const fn to_wire(self) -> i64 {
        match self {
            Self::Default => 0,
            Self::All => 1,
            Self::Disabled => 2,
            Self::MentionsOnly => 3,
        }
    }

    /// As it is for a contact, where there are no mentions.
    pub(super) const fn for_contact(self) -> Self {
        match self {
            Self::MentionsOnly => Self::All,
            other => other,
        }
    }
}
