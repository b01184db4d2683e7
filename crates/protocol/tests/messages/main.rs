//! Foreign messages and texts, of any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod foreign;
mod hostile;

use proptest::collection::vec;
use proptest::prelude::*;

/// A piece of a message: a field's tag and a short value, so that many of them make something that is nearly one.
fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..6);
    prop_oneof![
        bytes(),
        (0u8..31, any::<u8>()).prop_map(|(number, value)| vec![number << 3, value & 0x7f]),
        (0u8..31, bytes())
            .prop_map(|(number, value)| { [&[number << 3 | 2, value.len() as u8][..], &value].concat() }),
        (18u8..40, bytes()).prop_map(|(number, value)| {
            [&[number << 3 | 0x82, number >> 4, value.len() as u8][..], &value].concat()
        }),
    ]
}

proptest! {
    #[test]
    fn no_content_confuses_the_reader(pieces in vec(any_piece(), 0..6)) {
        foreign::content(&pieces.concat());
    }

    #[test]
    fn no_text_confuses_a_parser(text in "(https?://[a-z.:0-9]{1,9}(/room/[a-z]{1,3})?/files?/)?[a-z0-9/#&=p]*|\\PC*") {
        foreign::text(text.as_bytes());
    }

    #[test]
    fn no_opened_content_confuses_the_reader(pieces in vec(any_piece(), 0..6)) {
        foreign::opened(&pieces.concat());
    }

    #[test]
    fn no_file_confuses_the_decryption(bytes in vec(any::<u8>(), 0..400)) {
        foreign::file(&bytes);
    }

    #[test]
    fn what_is_to_be_sent_is_clean_after_once(kind in 0usize..5, rest in vec(any::<u8>(), 0..200)) {
        let starts: [&[u8]; 5] =
            [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", b"GIF89a", b"\0\0\0\x18ftypmp42"];
        foreign::to_be_sent(&[starts[kind], &rest].concat());
    }
}
