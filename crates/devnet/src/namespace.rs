//! Rules that namespaces have by their number (spec 03 §9.5).

/// Kept for tests of the server itself: nothing is stored there, and nothing found (spec 09 §4.2; server 2.11).
pub(crate) const RESERVED: i16 = -3741;

/// Anyone may read, only one message is kept.
pub(crate) fn is_public_outbox(namespace: i16) -> bool {
    namespace < 0 && -i32::from(namespace) % 20 == 1
}

/// Stays readable with a revoked token.
pub(crate) fn is_unrevocable(namespace: i16) -> bool {
    namespace < 0 && -i32::from(namespace) % 100 == 11
}

/// May be read without a signature.
pub(crate) fn is_readable_by_all(namespace: i16) -> bool {
    namespace == -10 || is_public_outbox(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_have_their_rules_by_number() {
        assert!(
            is_public_outbox(-1) && is_public_outbox(-41) && !is_public_outbox(-11) && !is_public_outbox(19)
        );
        assert!(is_unrevocable(-11) && is_unrevocable(-111) && !is_unrevocable(-21) && !is_unrevocable(11));
        assert!(is_readable_by_all(-10) && !is_readable_by_all(0) && !is_readable_by_all(-20));
        assert!(is_public_outbox(RESERVED), "which is why it is looked at first");
    }
}
