//! Where a file is, what it is and how to open it: what a message carries of an attachment (spec 04 §8).

use super::{FileOpenError, FileUrl, Key, deterministic, legacy};
use crate::wire::{self, Message as _, proto};

/// `flags` of a voice message.
const VOICE_MESSAGE: u32 = 1;
/// The longest MIME type there can be (RFC 6838): two names of 127 characters. What is longer says nothing.
const MAX_TYPE_BYTES: usize = 255;

/// An attachment of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentPointer {
    /// Where its encrypted bytes are. `None` if the message tells no usable address: show it as failed.
    pub url: Option<FileUrl>,
    /// How to open them.
    pub encryption: Encryption,
    /// MIME type as the sender says, at most 255 bytes; empty if not said. A hint, not to be trusted.
    pub content_type: String,
    /// Bytes of the plain file as the sender says; 0 if not said. What we send says it exactly: some receivers refuse a
    /// file that is shorter.
    pub size: u32,
    /// Name as the sender says; empty if not said. Pass it through [`super::name`] before showing or using it.
    pub name: String,
    /// Width and height in pixels, if said. A hint, not to be trusted.
    pub dimensions: Option<(u32, u32)>,
    /// It is a voice message.
    pub voice: bool,
}

/// How a file is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all: files in communities.
    None,
    /// The format of before August 2026 ([`legacy`]).
    Legacy {
        /// AES key, then HMAC key.
        key: Key<64>,
        /// SHA-256 of the encrypted bytes.
        digest: [u8; 32],
    },
    /// Stream encryption, what is sent today ([`deterministic`]).
    Deterministic {
        /// The stream's key.
        key: Key<32>,
    },
    /// Key or digest are missing or of a wrong length: cannot be opened.
    Unusable,
}

/// The bytes are not an attachment pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an attachment pointer")]
pub struct PointerError;

impl AttachmentPointer {
    /// Decrypts the downloaded file. Files without encryption, which belong in communities only, are refused: whoever
    /// carried them could have changed them.
    pub fn open(&self, blob: &[u8]) -> Result<Vec<u8>, FileOpenError> {
        match &self.encryption {
            Encryption::Legacy { key, digest } => {
                // A size that does not fit the platform's is larger than any file: too short, then.
                legacy::decrypt(blob, key, digest, usize::try_from(self.size).unwrap_or(usize::MAX))
            }
            // The length inside is authentic; the one in the message may not even be set.
            Encryption::Deterministic { key } => deterministic::decrypt(blob, key),
            Encryption::None | Encryption::Unusable => Err(FileOpenError::NoKey),
        }
    }

    /// All of it as bytes, to be stored. Contains the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointerError> {
        let wire = proto::AttachmentPointer::decode(bytes).map_err(|_| PointerError)?;
        Self::from_wire(wire).ok_or(PointerError)
    }

    /// As it is written into a message.
    pub(crate) fn to_wire(&self) -> proto::AttachmentPointer {
        let (key, digest) = match &self.encryption {
            Encryption::None | Encryption::Unusable => (None, None),
            Encryption::Legacy { key, digest } => (Some(key.as_bytes().to_vec()), Some(digest.to_vec())),
            Encryption::Deterministic { key } => (Some(key.as_bytes().to_vec()), None),
        };
        let text = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        proto::AttachmentPointer {
            deprecated_id: Some(self.url.as_ref().map_or(0, FileUrl::number)),
            content_type: text(&self.content_type),
            key,
            size: Some(self.size),
            digest,
            file_name: text(&self.name),
            flags: self.voice.then_some(VOICE_MESSAGE),
            width: self.dimensions.map(|(width, _)| width),
            height: self.dimensions.map(|(_, height)| height),
            caption: None,
            url: self.url.as_ref().map(|url| url.as_str().into()),
        }
    }

    /// As it is read from a message. `None` if the required id is missing, which makes the message malformed.
    pub(crate) fn from_wire(wire: proto::AttachmentPointer) -> Option<Self> {
        let id = wire.deprecated_id?;
        let url = match wire::text(wire.url).unwrap_or_default().as_str() {
            "" => (id != 0).then(|| FileUrl::numbered(id)),
            url => url.parse().ok(),
        };
        let deterministic = url.as_ref().is_some_and(FileUrl::is_deterministic);
        let encryption =
            encryption(wire.key.unwrap_or_default(), wire.digest.unwrap_or_default(), deterministic);
        Some(Self {
            url,
            encryption,
            content_type: wire::text(wire.content_type)
                .filter(|it| it.len() <= MAX_TYPE_BYTES)
                .unwrap_or_default(),
            size: wire.size.unwrap_or(0),
            name: wire::text(wire.file_name).unwrap_or_default(),
            dimensions: wire.width.zip(wire.height).filter(|(width, height)| *width > 0 && *height > 0),
            voice: wire.flags.unwrap_or(0) & VOICE_MESSAGE != 0,
        })
    }
}

/// What key, digest and address together mean. Where they disagree, the key has the last word (spec 09 §2.2): an address
/// that lost its `d` on the way, or got one too many, must not cost the file, and both formats notice a wrong key.
fn encryption(key: Vec<u8>, digest: Vec<u8>, deterministic: bool) -> Encryption {
    let key = zeroize::Zeroizing::new(key);
    if key.is_empty() {
        return Encryption::None;
    }
    if let (Some(key), Ok(digest)) = (Key::from_slice(&key), <[u8; 32]>::try_from(digest.as_slice())) {
        return Encryption::Legacy { key, digest };
    }
    match Key::from_slice(&key) {
        Some(key) if deterministic || digest.is_empty() => Encryption::Deterministic { key },
        _ => Encryption::Unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_decides_where_the_address_disagrees() {
        let stream = Encryption::Deterministic { key: Key::new([1; 32]) };
        let legacy = Encryption::Legacy { key: Key::new([1; 64]), digest: [2; 32] };
        for (key, digest, marked, expected) in [
            (32, 0, true, stream.clone()),
            (32, 0, false, stream.clone()),
            (32, 32, true, stream),
            (32, 32, false, Encryption::Unusable),
            (64, 32, false, legacy.clone()),
            (64, 32, true, legacy),
            (64, 0, false, Encryption::Unusable),
            (16, 0, true, Encryption::Unusable),
            (0, 32, true, Encryption::None),
        ] {
            assert_eq!(
                encryption(vec![1; key], vec![2; digest], marked),
                expected,
                "{key} {digest} {marked}"
            );
        }
    }
}
