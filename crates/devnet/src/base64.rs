//! Base64 as the official server reads it: padding may be left out, stray bits at the end are ignored.

use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, Encoding};

static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = BASE64_NOPAD.specification();
    spec.check_trailing_bits = false;
    // The specification is the library's own with one check less, hence valid.
    spec.encoding().unwrap_or(BASE64_NOPAD)
});

/// The bytes, or `None` if `text` is not base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let unpadded = match text.len() % 4 {
        0 => text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text),
        _ => text,
    };
    LENIENT.decode(unpadded.as_bytes()).ok()
}

/// A signature: 64 bytes in 86 characters, or 88 with padding.
pub(crate) fn signature(text: &str) -> Option<[u8; 64]> {
    if text.len() != 86 && !(text.len() == 88 && text.ends_with("==")) {
        return None;
    }
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_may_be_left_out_but_not_be_wrong() {
        assert_eq!(decode("YQ").unwrap(), b"a");
        assert_eq!(decode("YQ==").unwrap(), b"a");
        assert_eq!(decode("YWI=").unwrap(), b"ab");
        assert_eq!(decode("YWJj").unwrap(), b"abc");
        assert_eq!(decode("").unwrap(), b"");
        for wrong in ["Y", "YQ=", "YW J", "YQ==YQ==", "=", "Y-_Q"] {
            assert!(decode(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_86_or_88_characters() {
        assert!(signature(&"A".repeat(86)).is_some());
        assert!(signature(&("A".repeat(86) + "==")).is_some());
        for wrong in ["A".repeat(88), "A".repeat(85), "A".repeat(87) + "=", "-".repeat(86)] {
            assert!(signature(&wrong).is_none(), "{wrong}");
        }
    }
}
