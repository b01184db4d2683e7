//! Bytes from elsewhere. The functions here are also what the fuzz targets run.

use std::sync::LazyLock;

use septet_protocol::bencode::Reader;
use septet_protocol::config::seal::{decompress, encrypt, pad};
use septet_protocol::config::wrap::WrapKeys;
use septet_protocol::config::{
    BaseUrl, CommunityUrl, Config, Contacts, ConvoId, ConvoInfoVolatile, Document, KeptKeys, Kind, Priority,
    ProCredential, Rules, State, StorageHash, UserGroups, UserProfile,
};
use septet_protocol::id::{Ed25519Public, GroupId, SessionId};
use septet_protocol::time::Timestamp;

const SEED: [u8; 32] = [42; 32];
const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

static WRAP_KEYS: LazyLock<WrapKeys> = LazyLock::new(|| WrapKeys::from_seed(SEED));

/// As bencode, zstd, wrapping, and addresses.
pub fn parsers(data: &[u8]) {
    let _ = Reader::new(data).skip();
    let _ = decompress(data);
    let _ = ProCredential::parse(data);
    let _ = WRAP_KEYS.unwrap(data, Kind::Contacts);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = text.parse::<BaseUrl>();
        if let Ok(url) = CommunityUrl::parse_partial(text) {
            assert_eq!(url.base.as_str().parse(), Ok(url.base));
        }
    }
}

/// As what is inside an encrypted message: merged, read, changed, perhaps pushed, dumped, loaded. The first byte
/// tells the kind of config, and whether to push.
pub fn messages(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let push = choice & 4 != 0;
    match choice & 3 {
        0 => profile(data, push),
        1 => contacts(data, push),
        2 => convos(data, push),
        _ => groups(data, push),
    }
}

fn profile(data: &[u8], push: bool) {
    let mut profile = UserProfile::new(&SEED);
    take(&mut profile, data);
    let _ = (
        profile.name(),
        profile.picture(),
        profile.pro_credential(),
        profile.pro_expires(),
        profile.updated(),
    );
    profile.set_note_to_self_priority(Priority::PINNED);
    let dump = settle(&mut profile, push);
    again(&dump, &UserProfile::load(&SEED, &dump).unwrap().dump(), push);
}

fn contacts(data: &[u8], push: bool) {
    let mut contacts = Contacts::new(&SEED);
    take(&mut contacts, data);
    contacts.iter().for_each(|contact| drop(contacts.get(&contact.id)));
    contacts.blinded().for_each(drop);
    contacts.update(&SessionId([1; 32]), |contact| contact.approved = true).unwrap();
    let dump = settle(&mut contacts, push);
    again(&dump, &Contacts::load(&SEED, &dump).unwrap().dump(), push);
}

fn convos(data: &[u8], push: bool) {
    let mut convos = ConvoInfoVolatile::new(&SEED);
    take(&mut convos, data);
    convos.iter().for_each(drop);
    convos.mark_read(&ConvoId::OneToOne(SessionId([1; 32])), NOW, None, NOW);
    let dump = settle(&mut convos, push);
    again(&dump, &ConvoInfoVolatile::load(&SEED, &dump).unwrap().dump(), push);
}

fn groups(data: &[u8], push: bool) {
    let mut groups = UserGroups::new(&SEED);
    take(&mut groups, data);
    let communities: Vec<_> = groups.communities().collect();
    communities.iter().for_each(|community| groups.set_community(community));
    groups.groups().for_each(drop);
    groups.legacy_groups().for_each(drop);
    let dump = settle(&mut groups, push);
    again(&dump, &UserGroups::load(&SEED, &dump).unwrap().dump(), push);
}

/// As a dump.
pub fn dumps(data: &[u8]) {
    let new = || Document::new_group(vec![SEED], "groups::Info", Ed25519Public(SEED), None, Rules::Current);
    if let Ok(mut document) = new().load(data) {
        document.set(&[b"own"], 7.into());
        let dump = document.dump();
        let mut loaded = new().load(&dump).unwrap();
        assert!(loaded.data() == document.data());
        if document.state() != State::Dirty {
            assert_eq!(loaded.dump(), dump);
        }
    }
    if let Ok(kept) = KeptKeys::load(GroupId(SEED), data) {
        assert_eq!(KeptKeys::load(GroupId(SEED), &kept.dump()), Ok(kept));
    }
}

/// Merges `data` into a config that has a change of its own.
fn take(config: &mut dyn Config, data: &[u8]) {
    config.document_mut().set(&[b"own"], 7.into());
    let sealed = encrypt(pad(data), &SEED, config.kind().domain()).unwrap();
    config.merge(&[("a".into(), data), ("b".into(), &sealed)], NOW);
}

/// Pushes and confirms if that is wanted and possible, and dumps.
fn settle(config: &mut dyn Config, push: bool) -> Vec<u8> {
    if push && let Ok(push) = config.push(NOW) {
        let hashes: Vec<StorageHash> = push.messages.iter().map(|_| "c".into()).collect();
        config.confirm_pushed(push.seqno, &hashes);
    }
    config.dump()
}

/// What was clean dumps the same again after loading.
fn again(dump: &[u8], reloaded: &[u8], clean: bool) {
    if clean {
        assert_eq!(dump, reloaded);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Text that is nearly bencode, so that more than the first byte is looked at.
    fn nearly_bencode() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            Just("d"),
            Just("l"),
            Just("e"),
            Just("i1e"),
            Just("i-7e"),
            Just("0:"),
            Just("1:-"),
            Just("1:a"),
            Just("1:n3:abc"),
            Just("1:c"),
            Just("1:&d"),
            Just("1:<l"),
            Just("1:=d"),
        ];
        (any::<bool>(), vec(token, 0..60)).prop_map(|(framed, tokens)| {
            let body = tokens.concat();
            if framed { format!("d1:#i1e{body}").into_bytes() } else { body.into_bytes() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn anything_is_survived(data in vec(any::<u8>(), 0..300)) {
            parsers(&data);
            messages(&data);
            dumps(&data);
        }

        #[test]
        fn nearly_bencode_is_survived(choice in 0u8..8, data in nearly_bencode()) {
            parsers(&data);
            messages(&[&[choice], &data[..]].concat());
            dumps(&data);
        }

        #[test]
        fn a_damaged_dump_is_survived(at in any::<prop::sample::Index>(), byte: u8) {
            let mut contacts = Contacts::new(&SEED);
            contacts.update(&SessionId([1; 32]), |contact| contact.name = "Ann".into()).unwrap();
            let mut dump = contacts.dump();
            let at = at.index(dump.len());
            dump[at] = byte;
            dumps(&dump);
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = zstd::bulk::compress(&vec![b'd'; 64 * 1024 * 1024], 19).unwrap();
        assert!(bomb.len() < 10_000 && decompress(&bomb).is_err());
        let streamed = zstd::stream::encode_all(&vec![b'd'; 64 * 1024 * 1024][..], 1).unwrap();
        assert!(decompress(&streamed).is_err());
        // One that does not say its size is unpacked if it is small.
        assert_eq!(decompress(&zstd::stream::encode_all(&b"abc"[..], 1).unwrap()).unwrap(), b"abc");
    }
}
