//! Keys that only newer versions know survive whatever we do around them.

use proptest::collection::vec;
use proptest::prelude::*;

use septet_protocol::config::value::Value;
use septet_protocol::config::{
    BaseUrl, BlindedId, Community, Config, Contacts, ConvoId, ConvoInfoVolatile, Group, GroupSettings,
    Priority, ReadState, UserGroups, UserProfile,
};
use septet_protocol::id::{GroupId, SessionId};

use crate::swarm::NOW;

const SEED: [u8; 32] = [42; 32];
const ANN: SessionId = SessionId([1; 32]);
/// The dump of a config that nothing ever happened to.
const PRISTINE: &[u8] = b"d1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(le1:)le1:*de1:+dee";
const GROUP: GroupId = GroupId([2; 32]);

/// Puts keys that nobody knows below each of `places`, has `edit` change the config, sends it to another device and
/// through a dump, and looks for the keys there.
fn survive<C: Config>(
    mut config: C,
    load: impl Fn(&[u8]) -> C,
    places: &[&[&[u8]]],
    key: &[u8],
    value: &Value,
    edit: impl Fn(&mut C),
) {
    edit(&mut config);
    for place in places {
        config.document_mut().set(&[place, &[key][..]].concat(), value.clone());
        config.document_mut().set(&[place, &[&b"zz"[..], key][..]].concat(), value.clone());
    }
    let push = config.push(NOW).unwrap();
    let mut other = load(PRISTINE);
    other.merge(&[("h".into(), &push.messages[0])], NOW);
    edit(&mut other);
    other.document_mut().set(&[b"more"], 1.into());
    let again = other.push(NOW).unwrap();
    let mut third = load(&other.dump());
    third.merge(&[("i".into(), &again.messages[0])], NOW);
    for place in places {
        for path in [[place, &[key][..]].concat(), [place, &[&b"zz"[..], key][..]].concat()] {
            assert!(third.document().data().at(&path) == Some(value), "lost below {place:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_of_newer_versions_survive(key in vec(any::<u8>(), 2..6), text in vec(any::<u8>(), 0..40)) {
        let value = Value::from(&text[..]);
        survive(
            UserProfile::new(&SEED),
            |dump| UserProfile::load(&SEED, dump).unwrap(),
            &[&[]],
            &key,
            &value,
            |profile| profile.set_note_to_self_priority(Priority(profile.note_to_self_priority().0 + 1)),
        );
        let ann = ANN.to_prefixed();
        survive(
            Contacts::new(&SEED),
            |dump| Contacts::load(&SEED, dump).unwrap(),
            &[&[], &[b"c", &ann]],
            &key,
            &value,
            |contacts| contacts.update(&ANN, |ann| ann.blocked = !ann.blocked).unwrap(),
        );
        let blinded = BlindedId { legacy: false, key: [3; 32] };
        survive(
            ConvoInfoVolatile::new(&SEED),
            |dump| ConvoInfoVolatile::load(&SEED, dump).unwrap(),
            &[&[], &[b"1", &ann], &[b"b", &blinded.to_prefixed()]],
            &key,
            &value,
            |convos| {
                for id in [ConvoId::OneToOne(ANN), ConvoId::Blinded(blinded)] {
                    let unread = !convos.get(&id).unwrap_or_default().unread;
                    convos.set(&id, &ReadState { last_read: NOW, unread, pro: None }, None, NOW);
                }
            },
        );
        let base: BaseUrl = "http://example.org".parse().unwrap();
        survive(
            UserGroups::new(&SEED),
            |dump| UserGroups::load(&SEED, dump).unwrap(),
            &[&[], &[b"g", &GROUP.to_prefixed()], &[b"o", b"http://example.org", b"R", b"lobby"]],
            &key,
            &value,
            |groups| {
                let mut group = groups.group(&GROUP).unwrap_or_else(|| Group::new(GROUP));
                group.settings.invited = !group.settings.invited;
                groups.set_group(&group);
                groups.set_community(&Community {
                    base: base.clone(),
                    room: "Lobby".parse().unwrap(),
                    server_key: [5; 32],
                    settings: GroupSettings { invited: group.settings.invited, ..GroupSettings::default() },
                });
            },
        );
    }
}
