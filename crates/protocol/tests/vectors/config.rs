//! Configs: worked examples, and every recorded scenario of the official core.

use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use septet_protocol::bencode::Reader;
use septet_protocol::config::seal::{
    OVERHEAD, compress, decrypt, encrypt, open_plaintext, pad, padded_length, unpad,
};
use septet_protocol::config::wrap::WrapKeys;
use septet_protocol::config::{
    BaseUrl, CommunityUrl, Config, Contact, Contacts, ConvoId, ConvoInfoVolatile, Disappearing, Group, Kind,
    Notifications, Picture, Priority, ProCredential, Push, ReadState, Removed, RoomToken, Rules, State,
    StorageHash, UserGroups, UserProfile, truncate_name,
};
use septet_protocol::crypto::{Ed25519Secret, blake2b};
use septet_protocol::id::{GroupId, SessionId};
use septet_protocol::time::Timestamp;

use crate::answer::{Program, Question};
use crate::{array, bytes, load, text};

const NOW: Timestamp = Timestamp::from_ms(1_735_689_600_000);

/// The data of the section `name`.
fn section(name: &str) -> Value {
    load("config")[name].clone()
}

fn seed() -> [u8; 32] {
    array(&section("account"), "ed25519_seed_32_also_config_encryption_key")
}

/// The stages a push went through have to be those that were recorded.
fn assert_push(push: &Push, kind: Kind, wanted: &Value) {
    let [message] = push.messages.as_slice() else { panic!("{} messages", push.messages.len()) };
    let encrypted = WrapKeys::from_seed(seed()).unwrap(message, kind).unwrap();
    let padded = decrypt(&encrypted, &seed(), kind.domain()).unwrap();
    let serialized = open_plaintext(unpad(&padded)).unwrap().unwrap();
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text_of(&serialized), text_of(&bytes(wanted, "serialized_hex")));
    assert_eq!(encrypted, bytes(wanted, "encrypted_hex"));
    assert_eq!(message, &bytes(wanted, "pushed_protobuf_hex"));
    if let Some(seqno) = wanted["seqno"].as_i64() {
        assert_eq!(push.seqno, seqno);
    }
    if let Some(obsolete) = wanted["obsolete"].as_array() {
        let mut obsolete: Vec<_> = obsolete.iter().map(|hash| hash.as_str().unwrap()).collect();
        obsolete.sort_unstable();
        assert_eq!(push.obsolete.iter().map(StorageHash::as_str).collect::<Vec<_>>(), obsolete);
    }
}

#[test]
fn encryption() {
    let section = section("encrypt");
    let cases = section["cases"].as_array().unwrap();
    for case in cases {
        let (message, domain) = (text(case, "message_ascii"), text(case, "domain"));
        let sealed = encrypt(message.into(), &array(case, "key_base"), domain).unwrap();
        assert_eq!(sealed, bytes(case, "ciphertext_with_tag_and_nonce"));
        assert_eq!(decrypt(&sealed, &array(case, "key_base"), domain).unwrap(), message.as_bytes());
    }
    let mut first = bytes(&cases[0], "ciphertext_with_tag_and_nonce");
    assert!(decrypt(&first, &array(&cases[0], "key_base"), "test-suite2").is_err());
    assert!(decrypt(&first, &array(&cases[2], "key_base"), "test-suite1").is_err());
    first[3] = 0x42;
    assert!(decrypt(&first, &array(&cases[0], "key_base"), "test-suite1").is_err());
}

#[test]
fn padding_compression_and_cutting() {
    for case in section("padded_size")["cases"].as_array().unwrap() {
        let number = |field: &str| case[field].as_u64().unwrap() as usize;
        assert_eq!(padded_length(number("len"), number("overhead")), number("result"));
    }
    for case in section("compression")["cases"].as_array().unwrap() {
        let output = case["output_hex"].is_string().then(|| bytes(case, "output_hex"));
        assert_eq!(compress(&bytes(case, "input_hex")), output);
    }
    for case in section("utf8_truncation_100_bytes")["cases"].as_array().unwrap() {
        assert_eq!(truncate_name(text(case, "in")), text(case, "out"));
    }
}

#[test]
fn user_profile() {
    let section = section("user_profile");
    let mut profile = UserProfile::with_rules(&seed(), Rules::January2025);
    let empty = profile.push(NOW).unwrap();
    assert_eq!(empty.messages, [bytes(&section["empty_message"], "pushed_protobuf_hex")]);
    let first = &section["first_change"];
    let values = &first["values"];
    let picture = Picture::new(text(values, "pic_url"), text(values, "pic_key_ascii").as_bytes()).unwrap();
    profile.set_name(text(values, "name"), NOW).unwrap();
    profile.set_picture(picture.as_ref(), NOW);
    profile.set_note_to_self_priority(Priority(values["nts_priority"].as_i64().unwrap()));
    let push = profile.push(NOW).unwrap();
    assert_push(&push, Kind::UserProfile, first);
    assert_eq!(profile.push(NOW).unwrap().messages, push.messages);
    assert_eq!(profile.dump(), bytes(first, "dump_old_layout_waiting_hex"));
    profile.confirm_pushed(1, &["fakehash1".into()]);
    assert_eq!(profile.dump(), bytes(first, "dump_old_layout_clean_hash_fakehash1_hex"));
    let mut today = UserProfile::load(&seed(), &profile.dump()).unwrap();
    assert_eq!(today.dump(), bytes(first, "dump_new_layout_clean_hash_fakehash1_hex_ref"));
}

/// A device that has the first change of the profile, stored as `fakehash1`.
fn base_profile() -> UserProfile {
    let dump = bytes(&section("user_profile")["first_change"], "dump_old_layout_clean_hash_fakehash1_hex");
    UserProfile::with_rules(&seed(), Rules::January2025).loaded(&dump).unwrap()
}

fn pushed(profile: &mut UserProfile, hash: &str) -> Vec<u8> {
    let push = profile.push(NOW).unwrap();
    profile.confirm_pushed(push.seqno, &[hash.into()]);
    push.messages[0].clone()
}

#[test]
fn profiles_changed_at_the_same_time() {
    let section = section("user_profile_concurrent_merge");
    let (mut a, mut b) = (base_profile(), base_profile());
    a.set_name("Nibbler", NOW).unwrap();
    b.set_name("Raz", NOW).unwrap();
    let key = b"qwert\0yuio1234567890123456789012";
    b.set_picture(Picture::new("http://new.example.com/pic", key).unwrap().as_ref(), NOW);
    b.set_note_to_self_timer(Some(86400));
    b.set_community_requests(Some(true), NOW);
    let from_a = pushed(&mut a, "fakehash2");
    let from_b = pushed(&mut b, "fakehash3");
    let both: [(StorageHash, &[u8]); 2] = [("fakehash2".into(), &from_a), ("fakehash3".into(), &from_b)];

    assert_eq!(a.merge(&both[1..], NOW).accepted, ["fakehash3".into()]);
    assert_push(&a.push(NOW).unwrap(), Kind::UserProfile, &section["merge_on_A_clean_state"]);
    let merged = a.push(NOW).unwrap().messages;
    b.merge(&both[..1], NOW);
    assert_eq!(b.push(NOW).unwrap().messages, merged);
    let mut c = base_profile();
    c.merge(&both, NOW);
    assert_eq!(c.push(NOW).unwrap().messages, merged);
    assert_eq!(c.name().as_deref(), Some(text(&section, "merged_name")));

    for (incoming, wanted) in [
        (&both[..], "D_dirty_priority4_then_merge_2_incoming"),
        (&both[..1], "E_dirty_priority4_then_merge_A2"),
    ] {
        let mut dirty = base_profile();
        dirty.set_note_to_self_priority(Priority(4));
        dirty.merge(incoming, NOW);
        assert_push(&dirty.push(NOW).unwrap(), Kind::UserProfile, &section[wanted]);
    }
    let dump = bytes(&section, "F_dump_dirty_hex");
    let mut reloaded = UserProfile::with_rules(&seed(), Rules::January2025).loaded(&dump).unwrap();
    assert_eq!(reloaded.document().state(), State::Dirty);
    assert_push(&reloaded.push(NOW).unwrap(), Kind::UserProfile, &section["F_reloaded_from_dirty_dump_push"]);
}

#[test]
fn contacts() {
    let section = section("contacts");
    let mut contacts = Contacts::with_rules(&seed(), Rules::January2025);
    let recorded = contacts_of(&bytes(&section["push1"], "pushed_protobuf_hex"));
    let [full, blocked] = recorded.as_slice() else { panic!("{} contacts", recorded.len()) };
    assert_eq!((full.display_name(), full.notifications), ("Joey", Notifications::All));
    assert_eq!(full.disappearing, Disappearing::from_wire(1, 86400));
    assert!(blocked.blocked && blocked.priority.is_hidden() && blocked.name.is_empty());
    recorded.iter().for_each(|contact| contacts.set(contact).unwrap());
    assert_push(&contacts.push(NOW).unwrap(), Kind::Contacts, &section["push1"]);
    contacts.confirm_pushed(1, &["hashA".into()]);
    assert_eq!(contacts.dump(), bytes(&section, "dump_after_confirm_hex"));
    assert!(contacts.erase(&blocked.id));
    assert_push(&contacts.push(NOW).unwrap(), Kind::Contacts, &section["push2_after_erase_second"]);
    assert_eq!(contacts.dump(), bytes(&section, "dump_waiting_hex"));
}

fn contacts_of(message: &[u8]) -> Vec<Contact> {
    let mut contacts = Contacts::new(&seed());
    contacts.merge(&[("x".into(), message)], NOW);
    contacts.iter().collect()
}

#[test]
fn user_groups() {
    let section = section("user_groups");
    let mut theirs = UserGroups::with_rules(&seed(), Rules::January2025);
    theirs.merge(&[("x".into(), &bytes(&section["push1"], "pushed_protobuf_hex"))], NOW);
    let mut groups = UserGroups::with_rules(&seed(), Rules::January2025);
    theirs.communities().for_each(|community| groups.set_community(&community));
    theirs.groups().for_each(|group| groups.set_group(&group));
    theirs.legacy_groups().for_each(|group| groups.set_legacy_group(&group));
    assert_eq!((groups.communities().count(), groups.legacy_groups().count()), (1, 1));
    let admin: GroupId = text(&section, "admin_group_id").parse().unwrap();
    assert_eq!(admin.as_bytes(), Ed25519Secret::from_seed([0x11; 32]).public().as_bytes());
    assert!(groups.group(&admin).unwrap().is_admin());
    assert_push(&groups.push(NOW).unwrap(), Kind::UserGroups, &section["push1"]);
    groups.confirm_pushed(1, &["hashA".into()]);
    let group = Group { admin_seed: None, auth_data: Some([5; 100]), ..groups.group(&admin).unwrap() };
    groups.set_group(&group);
    let demoted = &section["push2_admin_demoted_to_authdata"];
    assert_push(
        &Push { obsolete: obsolete(demoted), ..groups.push(NOW).unwrap() },
        Kind::UserGroups,
        demoted,
    );
    groups.confirm_pushed(2, &["hashB".into()]);
    groups.set_group(&Group { admin_seed: Some([0x11; 32].into()), ..group });
    let promoted = &section["push3_promoted_again"];
    assert_push(
        &Push { obsolete: obsolete(promoted), ..groups.push(NOW).unwrap() },
        Kind::UserGroups,
        promoted,
    );
}

/// The recorded hashes, where the names they go by were not told.
fn obsolete(wanted: &Value) -> Vec<StorageHash> {
    let mut hashes: Vec<StorageHash> =
        wanted["obsolete"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().into()).collect();
    hashes.sort_unstable();
    hashes
}

#[test]
fn what_is_left_of_an_erased_group_is_no_group() {
    let cases = load("changes-2026")["erased_group_stub"]["cases"].clone();
    for case in cases.as_array().unwrap() {
        let is = |field: &str| case[field].as_bool().unwrap();
        let seed = [0x11; 32];
        let mut group = Group::new(GroupId(Ed25519Secret::from_seed(seed).public().0));
        group.name = text(case, "name").into();
        group.admin_seed = is("seed").then(|| seed.into());
        group.auth_data = is("auth").then_some([5; 100]);
        group.removed = match case["removed"].as_str() {
            Some("kicked") => Removed::Kicked,
            Some("destroyed") => Removed::Destroyed,
            _ => Removed::No,
        };
        assert_eq!(group.is_erased_stub(), is("stub"), "{case}");
        let mut groups = UserGroups::new(&self::seed());
        groups.set_group(&group);
        assert_eq!(groups.group(&group.id).is_none(), is("stub"), "{case}");
        assert_eq!(groups.groups().count(), usize::from(!is("stub")), "{case}");
    }
}

#[test]
fn read_states() {
    let section = section("convo_info_volatile");
    let now = Timestamp::from_ms(section["now_ms_used"].as_u64().unwrap());
    let mut theirs = ConvoInfoVolatile::new(&seed());
    theirs.merge(&[("x".into(), &bytes(&section["push1"], "pushed_protobuf_hex"))], now);
    let mut convos = ConvoInfoVolatile::with_rules(&seed(), Rules::January2025);
    for (id, state) in theirs.iter() {
        let key = if let ConvoId::Community { base, .. } = &id { theirs.server_key(base) } else { None };
        convos.set(&id, &state, key.as_ref(), now);
    }
    assert!(theirs.iter().any(|(_, state)| state == ReadState { unread: true, ..ReadState::default() }));
    assert_push(&convos.push(now).unwrap(), Kind::ConvoInfoVolatile, &section["push1"]);
}

#[test]
fn pro_credential() {
    let section = section("pro_credential_string");
    let credential = ProCredential {
        expires: Timestamp::from_ms(section["expiry"].as_u64().unwrap() * 1000),
        revocation_tag: array(&section, "revocation_tag"),
        rotating_seed: array(&section, "rotating_seed").into(),
        signature: array(&section, "sig"),
    };
    assert_eq!(credential.to_bytes(), bytes(&section, "value_of_key_s_hex"));
    assert!(ProCredential::parse(&credential.to_bytes()) == Some(credential));
}

/// Messages that are merged into an empty config without wrapping.
fn accepts(message: &[u8]) -> bool {
    let sealed = encrypt(pad(message), &seed(), "Contacts").unwrap();
    !Contacts::new(&seed()).merge(&[("x".into(), &sealed)], NOW).accepted.is_empty()
}

#[test]
fn what_is_no_config_is_left_alone() {
    let section = section("invalid_messages");
    for (name, message) in section["must_be_rejected_hex"].as_object().unwrap() {
        assert!(!accepts(&hex(message)), "{name}");
    }
    for (name, message) in section["must_be_accepted_hex"].as_object().unwrap() {
        assert!(name == "origin" || accepts(&hex(message)), "{name}");
    }
}

fn hex(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap_or_default()
}

#[test]
fn wrapping_is_taken_off_as_often_as_it_is_there() {
    let section = section("user_profile");
    let once = bytes(&section["first_change"], "pushed_protobuf_hex");
    let bare = bytes(&section["first_change"], "encrypted_hex");
    let twice = WrapKeys::from_seed(seed()).wrap(&once, 1, Kind::UserProfile).unwrap();
    for message in [bare, once, twice] {
        let mut profile = UserProfile::new(&seed());
        profile.merge(&[("x".into(), &message)], NOW);
        assert_eq!(profile.name().as_deref(), Some("Kallie"));
    }
    let old = self::section("protobuf_unwrap_old_client");
    let keys = WrapKeys::from_seed(array(&old, "ed25519_seed"));
    assert!(keys.unwrap(&bytes(&old, "must_unwrap_hex"), Kind::UserProfile).is_some());
}

#[test]
fn parts_of_a_message_come_in_any_order() {
    let section = section("multipart");
    let tiny = &section["tiny_hand_made_set"];
    let parts: Vec<_> =
        tiny["encrypted_parts_hex_domain_Contacts"].as_array().unwrap().iter().map(hex).collect();
    for order in [[0, 1], [1, 0]] {
        let mut contacts = Contacts::new(&seed());
        let first = contacts.merge(&[("a".into(), &parts[order[0]])], NOW);
        assert!(!first.changed && contacts.needs_dump());
        assert_eq!(contacts.active_hashes(), ["a".into()]);
        let mut contacts = Contacts::load(&seed(), &contacts.dump()).unwrap();
        assert!(contacts.merge(&[("b".into(), &parts[order[1]])], NOW).changed);
        assert_eq!(contacts.document().data().int(b"n"), Some(5));
        assert_eq!(contacts.document().current_hashes().len(), 2);
        let again: Vec<(StorageHash, &[u8])> = vec![("a".into(), &parts[0]), ("b".into(), &parts[1])];
        assert!(!contacts.merge(&again, NOW).changed);
        assert!(contacts.document_mut().take_obsolete().is_empty());
    }
}

/// 900 contacts with only a name, as one message that is too large for the swarm.
fn large_message() -> Vec<u8> {
    let (mut data, mut diff) = (Vec::new(), Vec::new());
    let mut contacts: Vec<_> = (0u32..900)
        .map(|i| {
            let id = [&[5][..], &blake2b::<32>(&[], &[&i.to_be_bytes()])].concat();
            (id, data_encoding::HEXLOWER.encode(&blake2b::<30>(&[], &[format!("n{i}").as_bytes()])))
        })
        .collect();
    contacts.sort_unstable();
    for (id, name) in contacts {
        data.extend_from_slice(&[b"33:", &id[..], format!("d1:n60:{name}e").as_bytes()].concat());
        diff.extend_from_slice(&[b"33:", &id[..], b"d1:n0:e"].concat());
    }
    [&b"d1:#i1e1:&d1:cd"[..], &data, b"ee1:<le1:=d1:cd", &diff, b"eee"].concat()
}

#[test]
fn what_is_too_large_for_the_swarm_goes_in_parts() {
    let section = section("multipart");
    let message = large_message();
    assert_eq!(message.len() as u64, section["serialized_len"].as_u64().unwrap());
    assert_eq!(blake2b::<32>(&[], &[&message]), array::<32>(&section, "serialized_hash"));
    let blob = pad(&compress(&message).unwrap());
    assert_eq!(blob.len() as u64, section["blob_len_compressed_and_padded"].as_u64().unwrap());
    assert_eq!(blake2b::<32>(&[], &[&blob]), array::<32>(&section, "blob_hash"));

    // Take it in as a single message, which a merge does not bound, and push it again.
    let sealed = encrypt(blob, &seed(), "Contacts").unwrap();
    let mut contacts = Contacts::new(&seed());
    assert!(contacts.merge(&[("whole".into(), &sealed)], NOW).changed);
    let push = contacts.push(NOW).unwrap();
    let lengths: Vec<_> = push.messages.iter().map(Vec::len).collect();
    assert_eq!(json!(lengths), section["encrypted_part_lens"]);
    let hashes: Vec<_> = push.messages.iter().map(|part| blake2b::<32>(&[], &[part])).collect();
    let wanted: Vec<_> = section["encrypted_part_blake2b256"].as_array().unwrap().iter().map(hex).collect();
    assert_eq!(hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>(), wanted);
    let part = |index: usize| decrypt(&push.messages[index], &seed(), "Contacts").unwrap();
    assert_eq!(part(0)[..64], bytes(&section, "part0_plain_first_64_hex"));
    assert_eq!(part(1)[..64], bytes(&section, "last_part_plain_first_64_hex"));
    assert!(part(1).ends_with(&bytes(&section, "last_part_plain_last_16_hex")));
    assert_eq!(push.messages[0].len(), 76_800);
    assert_eq!(part(0).len() + OVERHEAD, 76_800);

    let mut other = Contacts::new(&seed());
    let parts: Vec<(StorageHash, &[u8])> = push
        .messages
        .iter()
        .enumerate()
        .map(|(i, part)| (format!("p{i}").as_str().into(), &part[..]))
        .collect();
    other.merge(&parts[1..], NOW);
    other.merge(&parts[..1], NOW);
    assert_eq!(other.iter().count(), 900);
    assert!(!other.needs_push());
}

#[test]
fn community_addresses() {
    let section = section("community_urls");
    for case in section["full_url_parse"].as_array().unwrap() {
        let url = CommunityUrl::parse(text(case, "url")).unwrap();
        assert_eq!(
            (url.base.as_str(), url.room.as_str()),
            (text(case, "base_url"), text(case, "room_as_given"))
        );
        assert_eq!(url.room.parse::<RoomToken>().unwrap().key(), text(case, "room_canonical"));
        assert_eq!(url.key, Some(array(case, "pubkey")));
    }
    for case in section["other"].as_array().unwrap() {
        assert_eq!(text(case, "base_url_in").parse::<BaseUrl>().unwrap().as_str(), text(case, "base_url"));
        assert_eq!(text(case, "room_in").parse::<RoomToken>().unwrap().key(), text(case, "room"));
    }
}

#[test]
fn every_building_block_of_the_official_core() {
    let mut program = Program::default();
    for case in load("core-config")["building_blocks"].as_array().unwrap() {
        let mut fields = case["input"].clone();
        fields["op"] = case["function"].clone();
        let answer = program.answer(&Question::new(fields));
        let name = format!("{} / {}", case["function"], case["name"]);
        if case["error"] == json!(true) {
            assert!(answer.is_err(), "{name} has to be refused");
        } else {
            assert_eq!(answer.unwrap_or_else(|error| panic!("{name}: {error}")), case["output"], "{name}");
        }
    }
}

#[test]
fn every_scenario_of_the_official_core() {
    let recorded = load("core-config");
    let set = text(&recorded, "set");
    let scenarios = recorded["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 132);
    for scenario in scenarios {
        let mut program = Program::default();
        let mut ask =
            |fields: Value| program.answer(&Question::new(fields)).map_err(|error| error.to_string());
        ask(json!({"op": "clock", "now_ms": NOW.as_ms()})).unwrap();
        for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
            let name = format!("{} step {number} ({})", scenario["name"], step["do"]);
            if step["do"] == "set_many" {
                many_contacts(step, set).into_iter().for_each(|fields| drop(ask(fields).unwrap()));
                continue;
            }
            let mut fields = step.clone();
            fields["op"] = step["do"].clone();
            fields["handle"] = step["device"].clone();
            let answer = ask(fields);
            if step["expect_error"] == json!(true) {
                assert!(answer.is_err(), "{name} has to be refused");
                continue;
            }
            let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
            for (field, wanted) in step["expect"].as_object().into_iter().flatten() {
                // Too large ones are recorded without their body.
                if !wanted.is_null() || field != "body" {
                    let got = answer.get(field).unwrap_or(&Value::Null);
                    assert_eq!(comparable(field, got), comparable(field, wanted), "{name}: {field}");
                }
            }
        }
    }
}

/// The contacts that the step `set_many` stands for.
fn many_contacts(step: &Value, set: &str) -> Vec<Value> {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let name = |letter: char, i: u64| hex(&Sha512::digest(format!("{letter}{i}")))[..100].to_owned();
    let contact = |i: u64| {
        json!({
            "op": "set",
            "handle": step["device"],
            "session_id": format!("05{}", hex(&Sha256::digest(format!("big{i}{set}")))),
            "fields": {"name": name('n', i), "nickname": name('k', i)},
        })
    };
    (0..step["count"].as_u64().unwrap()).map(contact).collect()
}

/// A field with those of its parts sorted that have no order.
fn comparable(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("current_hashes" | "accepted" | "obsolete_hashes_sorted", Value::Array(hashes)) => {
            let mut hashes: Vec<_> = hashes.iter().filter_map(Value::as_str).collect();
            hashes.sort_unstable();
            json!(hashes)
        }
        ("dump", Value::String(dump)) => comparable_dump(&hex(&json!(dump))),
        _ => value.clone(),
    }
}

/// A dump, key by key, with the obsolete hashes sorted.
fn comparable_dump(dump: &[u8]) -> Value {
    let mut reader = Reader::new(dump);
    let mut keys = reader.open_dict().unwrap();
    let mut parts = Vec::new();
    while let Some(key) = keys.next(&mut reader).unwrap() {
        if key == b")" {
            let mut hashes = Vec::new();
            reader.open_list().unwrap();
            while !reader.close() {
                hashes.push(reader.bytes().unwrap());
            }
            hashes.sort_unstable();
            parts.push(json!([key, hashes]));
        } else {
            parts.push(json!([key, reader.skip().unwrap()]));
        }
    }
    json!(parts)
}

/// Ids are ordered by their bytes wherever a config lists them.
#[test]
fn contacts_are_listed_in_order() {
    let mut contacts = Contacts::new(&seed());
    for first in [9, 3, 200, 0] {
        contacts.set(&Contact::new(SessionId([first; 32]))).unwrap();
    }
    assert_eq!(contacts.iter().map(|contact| contact.id.0[0]).collect::<Vec<_>>(), [0, 3, 9, 200]);
}
