//! Swarms, storage requests and node lists against `network.json`.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, Ed25519Public, GroupId, MessageHash, Namespace, SessionId, SwarmId};
use septet_protocol::swarm::request::{DeleteAll, ExpireAll, Retrieve, Revoke, Store};
use septet_protocol::swarm::signing::{self, ExpireMode, Scope};
use septet_protocol::swarm::{Auth, Subaccount, SubaccountToken, message_hash, nearest, position};
use septet_protocol::time::Timestamp;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const LATER: Timestamp = Timestamp::from_ms(1_702_592_000_000);

fn vectors() -> Value {
    super::load("network")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

fn decimal(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn secret(value: &Value, name: &str) -> Ed25519Secret {
    Ed25519Secret::from_seed(HEXLOWER.decode(text(value, name).as_bytes()).unwrap().try_into().unwrap())
}

/// The account of the vectors: its id and key.
fn account(vectors: &Value) -> (SessionId, Ed25519Secret) {
    let account = &vectors["account"];
    (text(account, "session_id").parse().unwrap(), secret(account, "ed25519_seed"))
}

fn group(vectors: &Value) -> (GroupId, Ed25519Secret) {
    let group = &vectors["group"];
    (text(group, "group_id").parse().unwrap(), secret(group, "ed25519_seed"))
}

#[test]
fn swarm_space() {
    for case in vectors()["swarm_space"].as_array().unwrap() {
        // The prefix plays no part (one case has a foreign one).
        let key: Ed25519Public = text(case, "pubkey")[2..].parse().unwrap();
        let account = Account::User(SessionId(key.0));
        assert_eq!(position(&account), SwarmId(decimal(&case["value_u64_decimal"])));
    }
}

#[test]
fn nearest_swarm() {
    for set in vectors()["nearest_swarm"].as_array().unwrap() {
        let ids: Vec<SwarmId> =
            set["swarm_ids"].as_array().unwrap().iter().map(|id| SwarmId(decimal(id))).collect();
        for case in set["cases"].as_array().unwrap() {
            let found = nearest(SwarmId(decimal(&case["value"])), ids.iter().rev().copied());
            assert_eq!(found, Some(SwarmId(decimal(&case["swarm"]))), "{case} in {ids:?}");
        }
    }
}

/// The hashes of the vectors. The second is no canonical base64, hence these are texts.
fn hashes() -> [String; 2] {
    ["A".repeat(43), "B".repeat(43)]
}

fn signed_text(what: &str) -> Vec<u8> {
    let one = Timestamp::from_ms(1_702_592_000_001);
    match what {
        "retrieve ns0" => signing::retrieve(Namespace(0), NOW),
        "retrieve ns2" => signing::retrieve(Namespace(2), NOW),
        "retrieve ns-11" => signing::retrieve(Namespace(-11), NOW),
        "store ns5" => signing::store(Namespace(5), NOW),
        "store ns0 (signature optional, not needed)" => signing::store(Namespace(0), NOW),
        "delete" => signing::delete(hashes()),
        "delete_all ns0" => signing::delete_all(Scope::One(Namespace(0)), NOW),
        "delete_all all" => signing::delete_all(Scope::All, NOW),
        "delete_all ns11" => signing::delete_all(Scope::One(Namespace(11)), NOW),
        "delete_before all" => signing::delete_before(Scope::All, NOW),
        "expire_all all" => signing::expire_all(Scope::All, LATER),
        "expire" => signing::expire(ExpireMode::Set, [LATER], hashes()),
        "expire extend" => signing::expire(ExpireMode::Extend, [LATER], hashes()),
        "expire shorten" => signing::expire(ExpireMode::Shorten, [LATER], hashes()),
        "expire multi (two expiries)" => signing::expire(ExpireMode::Set, [LATER, one], hashes()),
        "get_expiries" => signing::get_expiries(NOW, hashes()),
        other => panic!("unknown case {other}"),
    }
}

#[test]
fn rpc_signatures() {
    let vectors = vectors();
    let (_, key) = account(&vectors);
    for case in vectors["rpc_signatures"].as_array().unwrap() {
        let signed = signed_text(text(case, "what"));
        assert_eq!(signed, text(case, "message_utf8").as_bytes(), "{}", case["what"]);
        assert_eq!(BASE64.encode(&key.sign(&signed)), text(case, "signature_base64_by_account"));
    }
}

#[test]
fn requests_carry_these_signatures() {
    let vectors = vectors();
    let (id, key) = account(&vectors);
    let auth = Auth::user(id, &key);
    let signature = |what: &str| {
        let cases = vectors["rpc_signatures"].as_array().unwrap();
        cases.iter().find(|case| case["what"] == what).unwrap()["signature_base64_by_account"].clone()
    };
    let retrieve = Retrieve { namespace: Namespace(2), last_hash: None, max_size: Some(-8) }.rpc(&auth, NOW);
    let expected = serde_json::json!({
        "pubkey": id, "pubkey_ed25519": key.public(), "namespace": 2, "last_hash": "", "max_size": -8,
        "timestamp": NOW, "signature": signature("retrieve ns2"),
    });
    assert_eq!(retrieve.params(), &expected);

    let store =
        Store { account: id.into(), namespace: Namespace(5), data: b"x", ttl: 1 }.rpc(Some(&auth), NOW);
    assert_eq!(store.params()["signature"], signature("store ns5"));
    let delete_all = DeleteAll { scope: Scope::All }.rpc(&auth, NOW);
    assert_eq!(delete_all.params()["signature"], signature("delete_all all"));
    assert_eq!(delete_all.params()["namespace"], "all");
    let expire_all = ExpireAll { scope: Scope::All, expiry: LATER }.rpc(&auth);
    assert_eq!(expire_all.params()["signature"], signature("expire_all all"));
}

#[test]
fn subaccount() {
    let vectors = vectors();
    let case = &vectors["subaccount"];
    let (group, owner) = group(&vectors);
    let key = secret(case, "subaccount_ed25519_seed");
    let token = SubaccountToken::for_group(SubaccountToken::READ | SubaccountToken::WRITE, &key.public());
    assert_eq!(HEXLOWER.encode(token.as_bytes()), text(case, "token_hex"));
    assert_eq!(token.to_base64(), text(case, "token_base64"));
    assert_eq!(token.key(), key.public());
    let token_signature = owner.sign(token.as_bytes());
    assert_eq!(BASE64.encode(&token_signature), text(case, "token_signature_by_group_base64"));

    let subaccount = Subaccount { token, token_signature, key: &key };
    let member = Auth::GroupMember { id: group, subaccount };
    let retrieve = Retrieve { namespace: Namespace(11), last_hash: None, max_size: None }.rpc(&member, NOW);
    let params = retrieve.params();
    assert_eq!(params["signature"], case["retrieve_ns11_signature_by_subaccount_base64"]);
    assert_eq!(params["subaccount"], case["token_base64"]);
    assert_eq!(params["subaccount_sig"], case["token_signature_by_group_base64"]);
    assert!(params.get("pubkey_ed25519").is_none());

    let admin = Auth::GroupAdmin { id: group, key: &owner };
    let revoke = Revoke { tokens: vec![token], undo: false }.rpc(&admin, NOW);
    assert_eq!(revoke.params()["signature"], case["revoke_signature_by_group_base64"]);
    let unrevoke = Revoke { tokens: vec![token], undo: true }.rpc(&admin, NOW);
    assert_eq!(unrevoke.params()["signature"], case["unrevoke_signature_by_group_base64"]);
}

#[test]
fn message_hashes() {
    for case in vectors()["message_hash"].as_array().unwrap() {
        let account: Account = text(case, "pubkey").parse().unwrap();
        let namespace = Namespace(case["namespace"].as_i64().unwrap().try_into().unwrap());
        let expected: MessageHash = text(case, "hash").parse().unwrap();
        assert_eq!(message_hash(&account, namespace, text(case, "data_utf8").as_bytes()), expected);
    }
}

#[test]
fn node_reply_signatures() {
    let vectors = vectors();
    let (id, _) = account(&vectors);
    let account = Account::User(id);
    let replies = &vectors["node_reply_signatures"];
    let node: Ed25519Public = text(replies, "node_ed25519_public").parse().unwrap();
    let [h1, h2] = hashes();
    let both = [&h1, &h2];
    let later = Timestamp::from_ms(1_702_592_000_005);
    let texts = BTreeMap::from([
        ("store", signing::node::stored("iBlnwojt+9l6J5m8qipR6tD4GRzWxy2z9UxAlUX6hLQ")),
        ("delete (requested h1,h2; deleted h1)", signing::node::deleted(&account, both, [&h1])),
        ("delete_all (deleted h1,h2 sorted)", signing::node::swept(&account, NOW, both)),
        ("delete_before", signing::node::swept(&account, NOW, [&h1])),
        ("expire_all", signing::node::swept(&account, LATER, [&h1])),
        (
            "expire single, requested h1,h2, updated h1, unchanged h2 with expiry 1702592000005",
            signing::node::expired(&account, [LATER], both, [&h1], [(&h2, later)]),
        ),
    ]);
    for case in replies["cases"].as_array().unwrap() {
        let signed = &texts[text(case, "what")];
        assert_eq!(signed, text(case, "message_utf8").as_bytes(), "{}", case["what"]);
        let signature = BASE64.decode(text(case, "signature_base64").as_bytes()).unwrap().try_into().unwrap();
        assert!(node.verify(signed, &signature), "{}", case["what"]);
    }
}
