//! Configs: their building blocks, and objects that live from one question to the next, each named by a handle.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use septet_protocol::config::seal::{decompress, decrypt, encrypt, pad, unpad};
use septet_protocol::config::wrap::WrapKeys;
use septet_protocol::config::{
    BaseUrl, Community, CommunityUrl, Config, Contact, Contacts, ConvoId, ConvoInfoVolatile, Disappearing,
    Group, GroupSettings, Kind, LegacyGroup, Notifications, Picture, Priority, Removed, RoomToken, Rules,
    State, StorageHash, UserGroups, UserProfile, full_url,
};
use septet_protocol::id::{Namespace, SessionId};
use septet_protocol::time::Timestamp;

use super::question::{Answer, Question};

/// The objects there are, and the time.
#[derive(Default)]
pub struct Configs {
    objects: BTreeMap<String, Object>,
    now: Timestamp,
}

struct Object {
    seed: [u8; 32],
    config: Typed,
}

enum Typed {
    Profile(UserProfile),
    Contacts(Contacts),
    Convos(ConvoInfoVolatile),
    Groups(UserGroups),
}

impl Typed {
    fn config(&mut self) -> &mut dyn Config {
        match self {
            Self::Profile(config) => config,
            Self::Contacts(config) => config,
            Self::Convos(config) => config,
            Self::Groups(config) => config,
        }
    }
}

impl Configs {
    /// Answers the operations of this area; `None` for others.
    pub fn answer(&mut self, op: &str, q: &Question) -> Option<Answer<Value>> {
        Some(match op {
            "config_pad" => q.bytes("message").map(|message| json!({"padded": hex(&pad(&message))})),
            "config_encrypt" => config_encrypt(q),
            "config_decrypt" => config_decrypt(q),
            "config_wrap" => config_wrap(q),
            "config_unwrap" => config_unwrap(q),
            "parse_community_url" => parse_community_url(q),
            "parse_partial_community_url" => parse_partial_community_url(q),
            "canonical_url" => canonical_url(q),
            "canonical_room" => canonical_room(q),
            "reset" => {
                self.objects.clear();
                Ok(json!({}))
            }
            "clock" => q.number("now_ms").map(|now| {
                self.now = Timestamp::from_ms(now);
                json!({})
            }),
            "new" => self.make(q),
            "set" | "erase" | "fields" | "state" | "push" | "confirm_pushed" | "merge" | "dump"
            | "make_dump" => self.ask_object(op, q),
            _ => return None,
        })
    }

    fn make(&mut self, q: &Question) -> Answer<Value> {
        let seed = q.array("seed")?;
        let dump = q.optional_bytes("dump")?;
        let rules = Rules::January2025;
        let mut config = match q.text("config")? {
            "UserProfile" => Typed::Profile(match dump {
                Some(dump) => UserProfile::with_rules(&seed, rules).loaded(&dump)?,
                None => UserProfile::with_rules(&seed, rules),
            }),
            "Contacts" => Typed::Contacts(match dump {
                Some(dump) => Contacts::with_rules(&seed, rules).loaded(&dump)?,
                None => Contacts::with_rules(&seed, rules),
            }),
            "ConvoInfoVolatile" => Typed::Convos(match dump {
                Some(dump) => ConvoInfoVolatile::with_rules(&seed, rules).loaded(&dump)?,
                None => ConvoInfoVolatile::with_rules(&seed, rules),
            }),
            "UserGroups" => Typed::Groups(match dump {
                Some(dump) => UserGroups::with_rules(&seed, rules).loaded(&dump)?,
                None => UserGroups::with_rules(&seed, rules),
            }),
            other => return Err(format!("unknown config {other}").into()),
        };
        let kind = config.config().kind();
        self.objects.insert(q.text("handle")?.into(), Object { seed, config });
        Ok(json!({"encryption_domain": kind.domain(), "namespace": kind.namespace().0}))
    }

    fn ask_object(&mut self, op: &str, q: &Question) -> Answer<Value> {
        let now = self.now;
        let Object { seed, config } = self.objects.get_mut(q.text("handle")?).ok_or("no such handle")?;
        match op {
            "set" => set(config, q, now),
            "erase" => erase(config, q),
            "fields" => fields(config),
            "state" => Ok(state(config.config())),
            "push" => push(config.config(), seed, now),
            "confirm_pushed" => {
                config.config().confirm_pushed(int(q, "seqno"), &[q.text("hash")?.into()]);
                Ok(json!({}))
            }
            "merge" => merge(config.config(), q, now),
            "dump" => Ok(json!({"dump": hex(&config.config().dump())})),
            _ => Ok(json!({"dump": hex(&config.config().document().snapshot())})),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn int(q: &Question, field: &str) -> i64 {
    q.get(field).as_i64().unwrap_or(0)
}

/// Seconds; zero, negative and missing are none.
fn seconds(value: i64) -> Option<Timestamp> {
    u64::try_from(value).ok().filter(|&value| value > 0).map(|value| Timestamp::from_ms(value * 1000))
}

fn to_seconds(time: Option<Timestamp>) -> u64 {
    time.map_or(0, Timestamp::as_secs)
}

fn kind(q: &Question) -> Answer<Kind> {
    let namespace = Namespace(i16::try_from(int(q, "namespace"))?);
    Kind::from_namespace(namespace).ok_or_else(|| "no config has this namespace".into())
}

fn config_encrypt(q: &Question) -> Answer<Value> {
    let ciphertext = encrypt(q.bytes("message")?, &q.array("key")?, q.text("domain")?)?;
    Ok(json!({"ciphertext": hex(&ciphertext)}))
}

fn config_decrypt(q: &Question) -> Answer<Value> {
    let message = decrypt(&q.bytes("ciphertext")?, &q.array("key")?, q.text("domain")?)?;
    Ok(json!({"message": hex(&message)}))
}

fn config_wrap(q: &Question) -> Answer<Value> {
    let keys = WrapKeys::from_seed(q.array("seed")?);
    let wrapped = keys.wrap(&q.bytes("data")?, int(q, "seqno"), kind(q)?).ok_or("the key is not usable")?;
    Ok(json!({"wrapped": hex(&wrapped)}))
}

fn config_unwrap(q: &Question) -> Answer<Value> {
    let keys = WrapKeys::from_seed(q.array("seed")?);
    let data = keys.unwrap(&q.bytes("data")?, kind(q)?).ok_or("not wrapped by us")?;
    Ok(json!({"data": hex(&data)}))
}

fn parse_community_url(q: &Question) -> Answer<Value> {
    let url = CommunityUrl::parse(q.text("url")?)?;
    let key = url.key.ok_or("no key")?;
    Ok(json!({
        "base_url": url.base.as_str(),
        "room": url.room,
        "pubkey": hex(&key),
        "full_url": full_url(&url.base, &url.room, &key),
    }))
}

fn parse_partial_community_url(q: &Question) -> Answer<Value> {
    let url = CommunityUrl::parse_partial(q.text("url")?)?;
    Ok(json!({"base_url": url.base.as_str(), "room": url.room, "pubkey": url.key.map(|key| hex(&key))}))
}

fn canonical_url(q: &Question) -> Answer<Value> {
    Ok(json!({"url": q.text("url")?.parse::<BaseUrl>()?.as_str()}))
}

fn canonical_room(q: &Question) -> Answer<Value> {
    Ok(json!({"room": q.text("room")?.parse::<RoomToken>()?.key()}))
}

fn state(config: &dyn Config) -> Value {
    let document = config.document();
    json!({
        "is_clean": document.state() == State::Clean,
        "is_dirty": document.state() == State::Dirty,
        "is_readonly": document.is_read_only(),
        "needs_push": config.needs_push(),
        "needs_dump": config.needs_dump(),
        "current_hashes": document.current_hashes().iter().map(StorageHash::as_str).collect::<Vec<_>>(),
    })
}

/// Pushes, and takes what came out apart again, stage by stage.
fn push(config: &mut dyn Config, seed: &[u8; 32], now: Timestamp) -> Answer<Value> {
    let push = config.push(now)?;
    let [message] = push.messages.as_slice() else { return Err("not one message".into()) };
    let encrypted = WrapKeys::from_seed(*seed).unwrap(message, config.kind()).ok_or("not wrapped")?;
    let padded = decrypt(&encrypted, seed, config.kind().domain())?;
    let body = unpad(&padded);
    let compressed = body.strip_prefix(b"z");
    let serialized = compressed.map(decompress).transpose()?;
    Ok(json!({
        "seqno": push.seqno,
        "message": hex(message),
        "obsolete_hashes_sorted": push.obsolete.iter().map(StorageHash::as_str).collect::<Vec<_>>(),
        "encrypted": hex(&encrypted),
        "padding_zeros": padded.len() - body.len(),
        "compressed": compressed.is_some(),
        "body": hex(body),
        "serialized": hex(serialized.as_deref().unwrap_or(body)),
    }))
}

fn merge(config: &mut dyn Config, q: &Question, now: Timestamp) -> Answer<Value> {
    let messages: Vec<(StorageHash, Vec<u8>)> = q
        .parts("messages")?
        .iter()
        .map(|message| Ok((message.text("hash")?.into(), message.bytes("data")?)))
        .collect::<Answer<_>>()?;
    let messages: Vec<_> = messages.iter().map(|(hash, data)| (hash.clone(), data.as_slice())).collect();
    let merged = config.merge(&messages, now);
    Ok(json!({"accepted": merged.accepted.iter().map(StorageHash::as_str).collect::<Vec<_>>()}))
}

fn set(config: &mut Typed, q: &Question, now: Timestamp) -> Answer<Value> {
    let fields = q.part("fields");
    match config {
        Typed::Profile(profile) => set_profile(profile, q.get("fields"), &fields, now)?,
        Typed::Contacts(contacts) => set_contact(contacts, q.text("session_id")?.parse()?, &fields)?,
        Typed::Convos(convos) => set_convo(convos, q, &fields, now)?,
        Typed::Groups(groups) => set_group(groups, q, &fields)?,
    }
    Ok(json!({}))
}

/// Calls `store` with a field if it is there.
fn given(fields: &Question, name: &str, store: impl FnOnce(&Value)) {
    let value = fields.get(name);
    if !value.is_null() {
        store(value);
    }
}

fn given_int(fields: &Question, name: &str, store: impl FnOnce(i64)) {
    given(fields, name, |value| store(value.as_i64().unwrap_or(0)));
}

fn given_flag(fields: &Question, name: &str, slot: &mut bool) {
    given(fields, name, |value| *slot = value.as_bool().unwrap_or(false));
}

fn given_text(fields: &Question, name: &str, slot: &mut String) {
    given(fields, name, |value| *slot = value.as_str().unwrap_or_default().into());
}

/// The picture in the fields, if there is one.
fn given_picture(fields: &Question) -> Answer<Option<Option<Picture>>> {
    if fields.get("profile_pic").is_null() {
        return Ok(None);
    }
    let picture = fields.part("profile_pic");
    Ok(Some(Picture::new(picture.text("url")?, &picture.bytes("key")?)?))
}

fn set_profile(profile: &mut UserProfile, all: &Value, fields: &Question, now: Timestamp) -> Answer<()> {
    let picture = given_picture(fields)?;
    if let Ok(name) = fields.text("name") {
        profile.set_name(name, now)?;
    }
    if let Ok(name) = fields.text("name_truncated") {
        profile.set_name_truncated(name, now);
    }
    if let Some(picture) = picture {
        profile.set_picture(picture.as_ref(), now);
    }
    given_int(fields, "nts_priority", |priority| profile.set_note_to_self_priority(Priority(priority)));
    given_int(fields, "nts_expiry", |timer| profile.set_note_to_self_timer(u64::try_from(timer).ok()));
    // Here null is a value.
    if let Some(value) = all.get("blinded_msgreqs") {
        profile.set_community_requests(value.as_bool(), now);
    }
    Ok(())
}

fn set_contact(contacts: &mut Contacts, id: SessionId, fields: &Question) -> Answer<()> {
    let mut contact = contacts.get_or_new(&id);
    if let Some(picture) = given_picture(fields)? {
        contact.picture = picture;
    }
    given_text(fields, "name", &mut contact.name);
    given_text(fields, "nickname", &mut contact.nickname);
    given_flag(fields, "approved", &mut contact.approved);
    given_flag(fields, "approved_me", &mut contact.approved_us);
    given_flag(fields, "blocked", &mut contact.blocked);
    given_int(fields, "priority", |value| contact.priority = Priority(value));
    given_int(fields, "notifications", |value| contact.notifications = Notifications::from_wire(value));
    given_int(fields, "mute_until", |value| contact.mute_until = seconds(value));
    given_int(fields, "created", |value| contact.created = seconds(value));
    let (mut mode, mut timer) = Disappearing::to_wire(contact.disappearing);
    given_int(fields, "exp_mode", |value| mode = value);
    given_int(fields, "exp_timer", |value| timer = value);
    contact.disappearing = Disappearing::from_wire(mode, timer);
    Ok(contacts.set(&contact)?)
}

/// The conversation a question is about.
fn convo_id(q: &Question) -> Answer<ConvoId> {
    Ok(match q.text("kind")? {
        "1to1" => ConvoId::OneToOne(q.text("session_id")?.parse()?),
        "group" => ConvoId::Group(q.text("id")?.parse()?),
        "legacy_group" => ConvoId::LegacyGroup(q.text("id")?.parse()?),
        "community" => {
            ConvoId::Community { base: q.text("base_url")?.parse()?, room: q.text("room")?.parse()? }
        }
        other => return Err(format!("unknown kind {other}").into()),
    })
}

fn set_convo(convos: &mut ConvoInfoVolatile, q: &Question, fields: &Question, now: Timestamp) -> Answer<()> {
    let id = convo_id(q)?;
    let key = if let ConvoId::Community { .. } = id { Some(q.array("pubkey")?) } else { None };
    let mut state = convos.get(&id).unwrap_or_default();
    given(fields, "last_read", |value| state.last_read = Timestamp::from_ms(value.as_u64().unwrap_or(0)));
    given_flag(fields, "unread", &mut state.unread);
    convos.set(&id, &state, key.as_ref(), now);
    Ok(())
}

fn set_settings(settings: &mut GroupSettings, fields: &Question) {
    given_int(fields, "priority", |value| settings.priority = Priority(value));
    given_int(fields, "joined_at", |value| settings.joined = seconds(value));
    given_int(fields, "notifications", |value| settings.notifications = Notifications::from_wire(value));
    given_int(fields, "mute_until", |value| settings.mute_until = seconds(value));
    given_flag(fields, "invited", &mut settings.invited);
}

fn set_group(groups: &mut UserGroups, q: &Question, fields: &Question) -> Answer<()> {
    match convo_id(q)? {
        ConvoId::Community { base, room } => {
            let server_key = q.array("pubkey")?;
            let known = groups.community(&base, &room).map(|known| known.settings);
            let mut community = Community { base, room, server_key, settings: known.unwrap_or_default() };
            set_settings(&mut community.settings, fields);
            groups.set_community(&community);
        }
        ConvoId::Group(id) => {
            let mut group = groups.group(&id).unwrap_or_else(|| Group::new(id));
            set_settings(&mut group.settings, fields);
            given_text(fields, "name", &mut group.name);
            if let Some(secret) = fields.optional_bytes("secretkey")? {
                group.admin_seed = secret.first_chunk::<32>().map(|seed| (*seed).into());
            }
            if let Some(auth_data) = fields.optional_bytes("auth_data")? {
                group.auth_data = auth_data.try_into().ok();
            }
            match fields.get("mark").as_str() {
                Some("kicked") => group.kick(),
                Some("destroyed") => group.destroy(),
                Some("invited") if group.removed == Removed::Kicked => group.removed = Removed::No,
                _ => {}
            }
            groups.set_group(&group);
        }
        ConvoId::LegacyGroup(id) => {
            let mut group = groups.legacy_group(&id).unwrap_or_else(|| LegacyGroup::new(id));
            set_settings(&mut group.settings, fields);
            given_text(fields, "name", &mut group.name);
            given_int(fields, "disappearing_timer", |value| group.timer = u64::try_from(value).ok());
            if let (Some(public), Some(secret)) =
                (fields.optional_bytes("enc_pubkey")?, fields.optional_bytes("enc_seckey")?)
            {
                let secret: Option<[u8; 32]> = secret.try_into().ok();
                group.keys = public.try_into().ok().zip(secret.map(Into::into));
            }
            if let Some(members) = fields.get("members").as_object() {
                for (id, admin) in members {
                    match admin.as_bool() {
                        Some(admin) => group.members.insert(id.parse()?, admin),
                        None => group.members.remove(&id.parse()?),
                    };
                }
            }
            groups.set_legacy_group(&group);
        }
        _ => return Err("not a group".into()),
    }
    Ok(())
}

fn erase(config: &mut Typed, q: &Question) -> Answer<Value> {
    let erased = match config {
        Typed::Profile(_) => return Err("nothing to erase".into()),
        Typed::Contacts(contacts) => contacts.erase(&q.text("session_id")?.parse()?),
        Typed::Convos(convos) => convos.erase(&convo_id(q)?),
        Typed::Groups(groups) => match convo_id(q)? {
            ConvoId::Community { base, room } => groups.erase_community(&base, &room),
            ConvoId::Group(id) => groups.erase_group(&id),
            ConvoId::LegacyGroup(id) => groups.erase_legacy_group(&id),
            _ => return Err("not a group".into()),
        },
    };
    Ok(json!({"erased": erased}))
}

fn fields(config: &mut Typed) -> Answer<Value> {
    Ok(match config {
        Typed::Profile(profile) => json!({
            "name": profile.name(),
            "profile_pic": picture(profile.picture()),
            "nts_priority": profile.note_to_self_priority().0,
            "nts_expiry": profile.note_to_self_timer(),
            "blinded_msgreqs": profile.community_requests(),
        }),
        Typed::Contacts(contacts) => {
            let contacts: Vec<_> = contacts.iter().map(contact_fields).collect();
            json!({"size": contacts.len(), "contacts": contacts})
        }
        Typed::Convos(convos) => convo_fields(convos),
        Typed::Groups(groups) => group_fields(groups),
    })
}

fn picture(picture: Option<Picture>) -> Value {
    match picture {
        Some(picture) => json!({"url": picture.url(), "key": hex(picture.key())}),
        None => json!({"url": "", "key": ""}),
    }
}

fn contact_fields(contact: Contact) -> Value {
    let (mode, timer) = Disappearing::to_wire(contact.disappearing);
    json!({
        "session_id": contact.id.to_string(),
        "name": contact.name,
        "nickname": contact.nickname,
        "profile_pic": picture(contact.picture),
        "approved": contact.approved,
        "approved_me": contact.approved_us,
        "blocked": contact.blocked,
        "priority": contact.priority.0,
        "notifications": contact.notifications.to_wire(),
        "mute_until": to_seconds(contact.mute_until),
        "exp_mode": mode,
        "exp_timer": timer,
        "created": to_seconds(contact.created),
    })
}

fn convo_fields(convos: &ConvoInfoVolatile) -> Value {
    let count = |is: fn(&ConvoId) -> bool| convos.iter().filter(|(id, _)| is(id)).count();
    let entries: Vec<_> = convos
        .iter()
        .map(|(id, state)| {
            let mut fields = json!({"last_read": state.last_read.as_ms(), "unread": state.unread});
            let more = match id {
                ConvoId::OneToOne(id) => json!({"kind": "1to1", "session_id": id.to_string()}),
                ConvoId::Group(id) => json!({"kind": "group", "id": id.to_string()}),
                ConvoId::LegacyGroup(id) => json!({"kind": "legacy_group", "id": id.to_string()}),
                ConvoId::Blinded(_) => json!({"kind": "blinded"}),
                ConvoId::Community { base, room } => json!({
                    "kind": "community",
                    "base_url": base.as_str(),
                    "room": room.key(),
                    "room_norm": room.key(),
                    "pubkey": convos.server_key(&base).map(|key| hex(&key)),
                }),
            };
            extend(&mut fields, more);
            fields
        })
        .collect();
    json!({
        "convos": entries,
        "size": entries.len(),
        "size_1to1": count(|id| matches!(id, ConvoId::OneToOne(_))),
        "size_communities": count(|id| matches!(id, ConvoId::Community { .. })),
        "size_groups": count(|id| matches!(id, ConvoId::Group(_))),
        "size_legacy_groups": count(|id| matches!(id, ConvoId::LegacyGroup(_))),
    })
}

fn group_fields(groups: &UserGroups) -> Value {
    let mut entries = Vec::new();
    for group in groups.groups() {
        entries.push((
            group.settings,
            json!({
                "kind": "group",
                "id": group.id.to_string(),
                "name": group.name,
                "secretkey": group.admin_seed.map(|seed| hex(&*seed) + &hex(group.id.as_bytes())).unwrap_or_default(),
                "auth_data": group.auth_data.map(|data| hex(&data)).unwrap_or_default(),
                "removed_status": match group.removed { Removed::No => 0, Removed::Kicked => 1, Removed::Destroyed => 2 },
            }),
        ));
    }
    for community in groups.communities() {
        entries.push((
            community.settings,
            json!({
                "kind": "community",
                "base_url": community.base.as_str(),
                "room": community.room.as_str(),
                "room_norm": community.room.key(),
                "pubkey": hex(&community.server_key),
                "full_url": community.url(),
                "name": "",
            }),
        ));
    }
    for group in groups.legacy_groups() {
        let (public, secret) =
            group.keys.map(|(public, secret)| (hex(&public), hex(&*secret))).unwrap_or_default();
        let members: BTreeMap<_, _> =
            group.members.iter().map(|(id, admin)| (id.to_string(), admin)).collect();
        entries.push((
            group.settings,
            json!({
                "kind": "legacy_group",
                "id": group.id.to_string(),
                "name": group.name,
                "enc_pubkey": public,
                "enc_seckey": secret,
                "disappearing_timer": group.timer.unwrap_or(0),
                "members": members,
            }),
        ));
    }
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(settings, mut fields)| {
            extend(&mut fields, settings_fields(&settings));
            fields
        })
        .collect();
    json!({
        "size": entries.len(),
        "groups": entries,
        "size_communities": groups.communities().count(),
        "size_groups": groups.groups().count(),
        "size_legacy_groups": groups.legacy_groups().count(),
    })
}

fn settings_fields(settings: &GroupSettings) -> Value {
    json!({
        "priority": settings.priority.0,
        "joined_at": to_seconds(settings.joined),
        "notifications": settings.notifications.to_wire(),
        "mute_until": to_seconds(settings.mute_until),
        "invited": settings.invited,
    })
}

/// Adds the fields of `more` to `fields`.
fn extend(fields: &mut Value, more: Value) {
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
}
