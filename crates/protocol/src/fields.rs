//! The fields of a protobuf message, one after the other, without a schema (spec 09 §6.1).
//!
//! The generated types skip what they do not know, which is right for reading a message and useless for noticing that
//! it says something newer; and they refuse a whole message for one known field of another wire type. This walk sees
//! every field of the top level and is as strict as the official clients' about what a field is.

/// A field: its number and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// 1 to 2³¹ − 1.
    pub(crate) number: u32,
    /// What stands there.
    pub(crate) value: Value<'a>,
}

/// The value of a field, as its wire type has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1, little-endian.
    Fixed64(u64),
    /// Wire type 2: texts, bytes, messages.
    Bytes(&'a [u8]),
    /// Wire type 5, little-endian.
    Fixed32(u32),
}

/// The bytes are no sequence of fields, from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Walks the top level of a message. Ends after the first error.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

/// See [`fields`].
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..=i32::MAX as u32).contains(number))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return None,
        };
        Some(Field { number, value })
    }

    /// At most ten bytes; bits beyond the 64th do not count.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(bytes: &[u8]) -> Result<Field<'_>, Malformed> {
        fields(bytes).next().unwrap()
    }

    #[test]
    fn every_wire_type_is_read() {
        assert_eq!(one(&[0x90, 1, 0xac, 2]), Ok(Field { number: 18, value: Value::Varint(300) }));
        assert_eq!(
            one(&[0x91, 1, 1, 0, 0, 0, 0, 0, 0, 0x80]).map(|field| field.value),
            Ok(Value::Fixed64(1 << 63 | 1))
        );
        assert_eq!(one(&[0x92, 1, 2, 7, 8]).map(|field| field.value), Ok(Value::Bytes(&[7, 8])));
        assert_eq!(one(&[0x95, 1, 1, 0, 0, 1]).map(|field| field.value), Ok(Value::Fixed32(1 << 24 | 1)));
    }

    #[test]
    fn what_is_no_field_ends_the_walk() {
        let longest = [&[0x08][..], &[0xff; 9], &[1]].concat();
        assert_eq!(one(&longest).map(|field| field.value), Ok(Value::Varint(u64::MAX)));
        let too_long = [&[0x08][..], &[0x80; 10], &[0]].concat();
        let highest = [0xf8, 0xff, 0xff, 0xff, 0x3f, 0];
        assert_eq!(one(&highest).map(|field| field.number), Ok(i32::MAX as u32));
        let too_high = [0x80, 0x80, 0x80, 0x80, 0x40, 0];
        for bytes in [&too_long[..], &too_high, &[0, 1], &[0x0b], &[0x0c], &[0x0e, 0], &[0x0f, 0], &[0x80]] {
            assert_eq!(fields(bytes).collect::<Vec<_>>(), [Err(Malformed)], "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_every_walk_ends(bytes: Vec<u8>) {
            let walk: Vec<_> = fields(&bytes).collect();
            prop_assert!(walk.len() <= bytes.len());
            prop_assert!(walk.iter().rev().skip(1).all(Result::is_ok), "nothing follows an error");
        }

        #[test]
        fn a_message_cut_short_is_malformed_or_has_fewer_fields(
            values in proptest::collection::vec((1u8..16, any::<u32>()), 1..8), cut: prop::sample::Index,
        ) {
            let mut bytes = Vec::new();
            for (number, value) in &values {
                bytes.push(number << 3 | 5);
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            prop_assert_eq!(fields(&bytes).filter(Result::is_ok).count(), values.len());
            let cut = cut.index(bytes.len());
            let whole = cut % 5 == 0;
            let walk: Vec<_> = fields(&bytes[..cut]).collect();
            prop_assert_eq!(walk.iter().all(Result::is_ok), whole);
            prop_assert_eq!(walk.iter().filter(|field| field.is_ok()).count(), cut / 5);
        }
    }
}
