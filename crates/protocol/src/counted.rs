//! Byte strings with their length in front, as bencode writes them: `5:hello`. Onion v4 payloads and multi-recipient
//! containers are made of them.

/// Appends `<length>:<bytes>`.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
}

/// Takes one string off the front: the string, and what follows it. `None` if there is none, or if its length has a
/// leading zero or goes beyond the end.
pub(crate) fn take(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = input.iter().take(20).position(|&byte| byte == b':')?;
    let (digits, rest) = (input.get(..colon)?, input.get(colon + 1..)?);
    if digits.is_empty()
        || !digits.iter().all(u8::is_ascii_digit)
        || (digits.len() > 1 && digits.first() == Some(&b'0'))
    {
        return None;
    }
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_proper_lengths_are_read() {
        assert_eq!(take(b"2:abc"), Some((&b"ab"[..], &b"c"[..])));
        assert_eq!(take(b"0:"), Some((&b""[..], &b""[..])));
        for bad in [&b""[..], b":", b"3:ab", b"-1:a", b"+1:a", b"01:a", b"a:a", b"99999999999999999999:a"] {
            assert_eq!(take(bad), None);
        }
    }

    proptest! {
        #[test]
        fn what_was_put_is_taken(first: Vec<u8>, rest: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, &first);
            out.extend_from_slice(&rest);
            prop_assert_eq!(take(&out), Some((&first[..], &rest[..])));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
            let _ = take(&bytes);
        }
    }
}
