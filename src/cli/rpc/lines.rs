//! Lines from a stream that may send anything: of what is longer than a line may be nothing is kept.

use std::io::{self, BufRead};

/// What comes next.
#[derive(PartialEq, Eq, Debug)]
pub enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line that was longer than allowed, and is skipped.
    TooLong,
    /// There is no more.
    End,
}

/// Reads the next line of at most `limit` bytes. The last one needs no end.
pub fn next(from: &mut impl BufRead, limit: usize) -> io::Result<Next> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let some = match from.fill_buf() {
            Ok(some) => some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if some.is_empty() && line.is_empty() && !too_long {
            return Ok(Next::End);
        }
        let end = some.iter().position(|byte| *byte == b'\n');
        let part = some.get(..end.unwrap_or(some.len())).unwrap_or_default();
        too_long |= line.len() + part.len() > limit;
        if too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let (used, over) = (part.len() + usize::from(end.is_some()), end.is_some() || some.is_empty());
        from.consume(used);
        if over {
            return Ok(if too_long { Next::TooLong } else { Next::Line(line) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], buffer: usize, limit: usize) -> Vec<Next> {
        let mut from = BufReader::with_capacity(buffer, bytes);
        let mut found = Vec::new();
        loop {
            match next(&mut from, limit).unwrap() {
                Next::End => return found,
                some => found.push(some),
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let line = |text: &str| Next::Line(text.into());
        assert_eq!(
            all(b"ab\n\nabcde\nabcd\nx", 3, 4),
            [line("ab"), line(""), Next::TooLong, line("abcd"), line("x")]
        );
        assert_eq!(all(b"abcde", 2, 4), [Next::TooLong]);
        assert_eq!(all(b"", 2, 4), []);
    }

    proptest! {
        #[test]
        fn lines_are_what_is_between_their_ends(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            buffer in 1..9usize,
            limit in 0..20usize,
        ) {
            let mut parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            if parts.last().is_some_and(|last| last.is_empty()) {
                parts.pop();
            }
            let expected: Vec<Next> = parts
                .into_iter()
                .map(|part| if part.len() > limit { Next::TooLong } else { Next::Line(part.to_vec()) })
                .collect();
            prop_assert_eq!(all(&bytes, buffer, limit), expected);
        }
    }
}
