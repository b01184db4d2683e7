//! libsodium's secretstream: XChaCha20-Poly1305 over a sequence of chunks that cannot be reordered, dropped or cut
//! off unnoticed (spec 04 §7.4). The header is chosen by the writer; the network derives it from the content.

use super::{OpenError, sodium};

/// Bytes a chunk grows by.
pub const OVERHEAD: usize = 17;
/// Bytes of the header.
pub const HEADER: usize = 24;

/// What a chunk says about its place in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// More chunks follow.
    Message,
    /// The last chunk.
    Final,
}

/// The writing side.
pub struct Push(sodium::Stream);

impl Push {
    /// Begins a stream under this key and header.
    pub fn new(key: &[u8; 32], header: &[u8; HEADER]) -> Self {
        Self(sodium::Stream::new(key, header))
    }

    /// Encrypts the next chunk to the end of `out`, which grows by 17 bytes more than the chunk has.
    pub fn push(&mut self, chunk: &[u8], tag: Tag, out: &mut Vec<u8>) {
        let tag = match tag {
            Tag::Message => 0,
            Tag::Final => 3,
        };
        self.0.push(chunk, tag, out);
    }
}

/// The reading side.
pub struct Pull(sodium::Stream);

impl Pull {
    /// Begins to read a stream with this key and header.
    pub fn new(key: &[u8; 32], header: &[u8; HEADER]) -> Self {
        Self(sodium::Stream::new(key, header))
    }

    /// Decrypts the next chunk to the end of `out`. After an error the stream is of no more use. The tags `PUSH` and
    /// `REKEY`, which the network does not use, count as [`Tag::Message`].
    pub fn pull(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Tag, OpenError> {
        Ok(match self.0.pull(chunk, out)? {
            3 => Tag::Final,
            _ => Tag::Message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_pushed_is_pulled(key: [u8; 32], header: [u8; 24], chunks: Vec<Vec<u8>>) {
            let mut push = Push::new(&key, &header);
            let mut pull = Pull::new(&key, &header);
            for (index, chunk) in chunks.iter().enumerate() {
                let tag = if index + 1 == chunks.len() { Tag::Final } else { Tag::Message };
                let (mut sealed, mut opened) = (Vec::new(), Vec::new());
                push.push(chunk, tag, &mut sealed);
                prop_assert_eq!(sealed.len(), chunk.len() + OVERHEAD);
                prop_assert_eq!(pull.pull(&sealed, &mut opened).unwrap(), tag);
                prop_assert_eq!(&opened, chunk);
            }
        }

        #[test]
        fn foreign_bytes_are_refused(bytes: Vec<u8>) {
            let mut out = vec![7];
            prop_assert_eq!(Pull::new(&[1; 32], &[2; 24]).pull(&bytes, &mut out), Err(OpenError));
            prop_assert_eq!(out, vec![7]);
        }
    }
}
