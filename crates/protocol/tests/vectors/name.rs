//! Registered names of the protocol documents, in the form of today and in the old one.

use septet_protocol::name::Name;

use crate::{array, bytes, load, text};

#[test]
fn a_name_resolves() {
    let case = &load("network")["ons"];
    let name = Name::parse(text(case, "name")).unwrap();
    assert_eq!(name.hash(), array(case, "name_hash_hex"));
    let account = name.decrypt(&bytes(case, "encrypted_value_hex"), Some(&array(case, "nonce_hex"))).unwrap();
    assert_eq!(account.to_string(), text(case, "session_id"));
}

#[test]
fn an_old_registration_resolves() {
    let case = &load("network")["ons_legacy_argon2"];
    let name = Name::parse(text(case, "name")).unwrap();
    let account = name.decrypt(&bytes(case, "encrypted_value_hex"), None).unwrap();
    assert_eq!(account.to_string(), text(case, "session_id"));
}
