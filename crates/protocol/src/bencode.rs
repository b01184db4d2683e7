//! Bencode, as the network's documents use it (spec 05 §2).
//!
//! Integers of 64 bits, byte strings, lists, and dicts whose keys ascend bytewise; nothing else. What we write is
//! always canonical: signatures and message hashes cover these bytes. Reading borrows from the input, so a caller
//! can keep the exact span a value came from ([`Reader::position`]), which is what a signature or a hash covers.
//!
//! Reading is strict with one exception that others rely on: leading zeros in an integer are accepted.

use std::ops::Range;

/// The deepest nesting of lists and dicts that is read; real documents have five levels.
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not the bencode that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BencodeError {
    /// The input ends inside a value.
    #[error("ends inside a value")]
    Truncated,
    /// Another kind of value than the one expected, or no value at all.
    #[error("another kind of value than expected")]
    Unexpected,
    /// An integer that is malformed or does not fit 64 bits, or a length that is malformed.
    #[error("a number is malformed or out of range")]
    Number,
    /// Dict keys that do not ascend.
    #[error("dict keys are repeated or out of order")]
    KeyOrder,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    Depth,
}

type Result<T> = std::result::Result<T, BencodeError>;

/// Reads bencode from a byte slice, front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`.
    pub const fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// How many bytes have been read.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The next byte, not consumed; `None` at the end of the input.
    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// The bytes from `range`, positions as given by [`Reader::position`].
    pub fn span(&self, range: Range<usize>) -> &'a [u8] {
        self.input.get(range).unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> Result<()> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(BencodeError::Unexpected),
            None => Err(BencodeError::Truncated),
        }
    }

    /// The value of the decimal digits at the current position and how many there are.
    fn digits(&mut self) -> Result<(u64, usize)> {
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(digit - b'0')))
                .ok_or(BencodeError::Number)?;
            self.at += 1;
        }
        Ok((value, self.at - start))
    }

    /// Reads an integer.
    pub fn int(&mut self) -> Result<i64> {
        self.take(b'i')?;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let (magnitude, count) = self.digits()?;
        if count == 0 {
            return Err(if self.peek().is_none() { BencodeError::Truncated } else { BencodeError::Number });
        }
        let value = if negative {
            if magnitude == 0 {
                return Err(BencodeError::Number);
            }
            0i64.checked_sub_unsigned(magnitude).ok_or(BencodeError::Number)?
        } else {
            i64::try_from(magnitude).map_err(|_| BencodeError::Number)?
        };
        self.take(b'e')?;
        Ok(value)
    }

    /// Reads a byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let (length, count) = self.digits()?;
        if count == 0 {
            return Err(if self.peek().is_none() {
                BencodeError::Truncated
            } else {
                BencodeError::Unexpected
            });
        }
        if count > 1 && self.input.get(start) == Some(&b'0') {
            return Err(BencodeError::Number);
        }
        self.take(b':')?;
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let bytes = end.and_then(|end| self.input.get(self.at..end)).ok_or(BencodeError::Truncated)?;
        self.at += bytes.len();
        Ok(bytes)
    }

    /// Reads a byte string of exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes()?.try_into().map_err(|_| BencodeError::Unexpected)
    }

    /// Enters a list; read its items until [`Reader::close`] returns true.
    pub fn open_list(&mut self) -> Result<()> {
        self.take(b'l')
    }

    /// Enters a dict; read its keys with a [`Keys`] until that returns `None`.
    pub fn open_dict(&mut self) -> Result<Keys<'a>> {
        self.take(b'd')?;
        Ok(Keys { previous: None })
    }

    /// Leaves the list or dict if its end is here.
    pub fn close(&mut self) -> bool {
        let end = self.peek() == Some(b'e');
        if end {
            self.at += 1;
        }
        end
    }

    /// Reads over one value of any kind, checking it, and returns its bytes.
    pub fn skip(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        self.skip_nested(MAX_DEPTH)?;
        Ok(self.span(start..self.at))
    }

    fn skip_nested(&mut self, depth: usize) -> Result<()> {
        match self.peek() {
            Some(b'i') => self.int().map(drop),
            Some(b'0'..=b'9') => self.bytes().map(drop),
            Some(b'l') => {
                let depth = depth.checked_sub(1).ok_or(BencodeError::Depth)?;
                self.open_list()?;
                while !self.close() {
                    self.skip_nested(depth)?;
                }
                Ok(())
            }
            Some(b'd') => {
                let depth = depth.checked_sub(1).ok_or(BencodeError::Depth)?;
                let mut keys = self.open_dict()?;
                while keys.next(self)?.is_some() {
                    self.skip_nested(depth)?;
                }
                Ok(())
            }
            Some(_) => Err(BencodeError::Unexpected),
            None => Err(BencodeError::Truncated),
        }
    }
}

/// The keys of the dict that a [`Reader`] is in; refuses repeated and misordered ones.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    previous: Option<&'a [u8]>,
}

impl<'a> Keys<'a> {
    /// The next key, its value being next in `reader`; `None` when the dict has ended (its end is consumed).
    pub fn next(&mut self, reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>> {
        if reader.close() {
            return Ok(None);
        }
        let key = reader.bytes()?;
        if self.previous.is_some_and(|previous| previous >= key) {
            return Err(BencodeError::KeyOrder);
        }
        self.previous = Some(key);
        Ok(Some(key))
    }
}

/// Appends the decimal digits of `value`.
fn write_digits(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Appends an integer.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    out.push(b'i');
    if value < 0 {
        out.push(b'-');
    }
    write_digits(out, value.unsigned_abs());
    out.push(b'e');
}

/// Appends a byte string.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_digits(out, bytes.len() as u64);
    out.push(b':');
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Result<i64> {
        Reader::new(text.as_bytes()).int()
    }

    #[test]
    fn integers_keep_their_whole_range() {
        for value in [0, 1, -1, 10, 1234567890, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_int(&mut out, value);
            assert_eq!(out, format!("i{value}e").into_bytes());
            assert_eq!(Reader::new(&out).int(), Ok(value));
        }
        assert_eq!(int("i007e"), Ok(7));
        for bad in
            ["i9223372036854775808e", "i-9223372036854775809e", "i-0e", "ie", "i-e", "i1x", "i 1e", "i+1e"]
        {
            assert_eq!(int(bad).ok(), None, "{bad}");
        }
        assert_eq!(int("i12"), Err(BencodeError::Truncated));
    }

    #[test]
    fn strings_are_bounded_by_the_input() {
        assert_eq!(Reader::new(b"3:abcd").bytes(), Ok(&b"abc"[..]));
        assert_eq!(Reader::new(b"0:").bytes(), Ok(&b""[..]));
        for bad in
            [&b"4:abc"[..], b"18446744073709551615:a", b"99999999999999999999999:a", b"03:abc", b":", b""]
        {
            assert!(Reader::new(bad).bytes().is_err());
        }
    }

    #[test]
    fn skipping_checks_everything_below() {
        let ok = b"d1:ai1e1:bl1:xd0:leee1:c0:erest";
        let mut reader = Reader::new(ok);
        assert_eq!(reader.skip(), Ok(&ok[..ok.len() - 4]));
        assert_eq!(reader.position(), ok.len() - 4);
        assert_eq!(Reader::new(b"d1:bi1e1:ai1ee").skip(), Err(BencodeError::KeyOrder));
        assert_eq!(Reader::new(b"d1:ai1e1:ai1ee").skip(), Err(BencodeError::KeyOrder));
        assert_eq!(Reader::new(b"l1:a").skip(), Err(BencodeError::Truncated));
        assert_eq!(Reader::new(&[b'l'; 10_000]).skip(), Err(BencodeError::Depth));
        assert!(Reader::new(&[vec![b'l'; MAX_DEPTH], vec![b'e'; MAX_DEPTH]].concat()).skip().is_ok());
    }
}
