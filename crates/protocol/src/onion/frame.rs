//! `frame(ct, json) = u32 length ‖ ct ‖ json` (spec 03 §6.1), read from the front and written from the inside out.

/// Splits a frame into its two parts. `None` if the length goes beyond the end.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// A buffer that grows at both ends: layers go around what is already there, without moving it.
pub(super) struct Nest {
    /// The content begins at `start`; what is before is room.
    buffer: Vec<u8>,
    start: usize,
}

impl Nest {
    /// An empty buffer with room for this many bytes in front and behind.
    pub(super) fn with_room(front: usize, behind: usize) -> Self {
        let mut buffer = Vec::with_capacity(front + behind);
        buffer.resize(front, 0);
        Self { buffer, start: front }
    }

    /// Puts bytes in front of the content.
    pub(super) fn prepend(&mut self, bytes: &[u8]) {
        let place = self.start.checked_sub(bytes.len());
        match place.and_then(|at| self.buffer.get_mut(at..self.start)) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.start -= bytes.len();
            }
            // More than there is room for: slower, but as right.
            None => drop(self.buffer.splice(self.start..self.start, bytes.iter().copied())),
        }
    }

    /// Puts bytes behind the content.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Makes a frame of the content: its length in front, `json` behind. `None` if it is longer than a frame can be.
    pub(super) fn frame(&mut self, json: &[u8]) -> Option<()> {
        let length = u32::try_from(self.buffer.len() - self.start).ok()?;
        self.prepend(&length.to_le_bytes());
        self.append(json);
        Some(())
    }

    /// The content, to be encrypted in place.
    pub(super) fn content(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..).unwrap_or_default()
    }

    /// The content.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
        }
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_framed_is_split(ct: Vec<u8>, json: Vec<u8>, front in 0usize..9) {
            let mut nest = Nest::with_room(front, 0);
            nest.append(&ct);
            nest.frame(&json).unwrap();
            let frame = nest.finish();
            prop_assert_eq!(frame.len(), 4 + ct.len() + json.len());
            prop_assert_eq!(split(&frame), Some((&ct[..], &json[..])));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
            let _ = split(&bytes);
        }
    }
}
