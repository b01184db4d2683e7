//! Members of groups: tokens, their rights, and taking them away (spec 03 §9.4, §9.14).

use data_encoding::BASE64;
use septet_devnet::{Devnet, NodeHandle};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom};
use septet_protocol::id::{Account, GroupId, Namespace};
use septet_protocol::swarm::reply::RevokeReply;
use septet_protocol::swarm::request::Revoke;
use septet_protocol::swarm::{Auth, MemberKeys, SubaccountToken};
use septet_protocol::time::Timestamp;
use serde_json::{Value, json};

use crate::client::direct;
use crate::network;

struct Group {
    key: Ed25519Secret,
    id: GroupId,
    member: Ed25519Secret,
}

impl Group {
    fn new() -> Self {
        let key = Ed25519Secret::generate(&mut SystemRandom);
        let id = GroupId(key.public().0);
        Self { key, id, member: Ed25519Secret::generate(&mut SystemRandom) }
    }

    fn node(&self, devnet: &Devnet) -> NodeHandle {
        devnet.swarm_of(&Account::Group(self.id))[0].clone()
    }

    fn token(&self, rights: u8) -> SubaccountToken {
        SubaccountToken::for_group(rights, &self.member.public())
    }

    /// `params` signed by the member, with a token that gives it `rights`.
    fn by_member(&self, mut params: Value, rights: u8, text: &str) -> Value {
        let token = self.token(rights);
        params["pubkey"] = json!(self.id);
        params["subaccount"] = json!(token.to_base64());
        params["subaccount_sig"] = json!(BASE64.encode(&self.key.sign(token.as_bytes())));
        params["signature"] = json!(BASE64.encode(&self.member.sign(text.as_bytes())));
        params
    }

    async fn retrieve(&self, devnet: &Devnet, namespace: i16, rights: u8) -> u16 {
        let now = devnet.now();
        let params = json!({"namespace": namespace, "timestamp": now});
        let params = self.by_member(params, rights, &format!("retrieve{namespace}{now}"));
        direct(&self.node(devnet), "retrieve", params).await.status
    }

    async fn revoke(&self, devnet: &Devnet, tokens: Vec<SubaccountToken>, undo: bool) -> Value {
        let now = Timestamp::from_ms(devnet.now());
        let auth = Auth::GroupAdmin { id: self.id, key: &self.key };
        let request = Revoke { tokens, undo };
        let rpc = request.rpc(&auth, now);
        let answer = direct(&self.node(devnet), rpc.method(), rpc.params().clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let account = Account::Group(self.id);
        let swarm: MemberKeys = devnet.swarm_of(&account).iter().map(NodeHandle::ed25519).collect();
        let reply = RevokeReply::read(&answer.json(), &swarm, &account, &request, now).unwrap();
        assert_eq!(reply.members.done().count(), 7);
        answer.json()
    }
}

const READ: u8 = SubaccountToken::READ;
const WRITE: u8 = SubaccountToken::WRITE;
const DELETE: u8 = SubaccountToken::DELETE;

#[tokio::test]
async fn a_member_may_do_what_its_token_allows() {
    let devnet = network().await;
    let group = Group::new();
    let node = group.node(&devnet);
    let now = devnet.now();
    let store = json!({"namespace": 11, "timestamp": now, "ttl": 86_400_000, "data": "YQ=="});
    for (rights, status) in [(READ, 401), (READ | WRITE, 200)] {
        let params = group.by_member(store.clone(), rights, &format!("store11{now}"));
        assert_eq!(direct(&node, "store", params).await.status, status);
    }
    assert_eq!(group.retrieve(&devnet, 11, READ).await, 200);
    assert_eq!(group.retrieve(&devnet, 11, WRITE).await, 401);
    let outbox = json!({"namespace": -21, "timestamp": now, "ttl": 86_400_000, "data": "YQ=="});
    for (rights, status) in [(WRITE, 401), (WRITE | DELETE, 200)] {
        let params = group.by_member(outbox.clone(), rights, &format!("store-21{now}"));
        assert_eq!(direct(&node, "store", params).await.status, status);
    }
    for (rights, status) in [(READ | WRITE, 401), (DELETE, 200)] {
        let params = group.by_member(json!({"timestamp": now}), rights, &format!("delete_all{now}"));
        assert_eq!(direct(&node, "delete_all", params).await.status, status);
    }
}

#[tokio::test]
async fn a_member_that_may_not_delete_may_only_extend() {
    let devnet = network().await;
    let group = Group::new();
    let node = group.node(&devnet);
    let now = devnet.now();
    let hash = devnet.deliver(
        &Account::Group(group.id),
        septet_protocol::id::Namespace(11),
        b"x".to_vec(),
        now,
        now + 500_000,
    );
    let expire = |expiry: u64, rights| {
        let params = json!({"messages": [hash], "expiry": expiry});
        group.by_member(params, rights, &format!("expire{expiry}{hash}"))
    };
    let own = |body: &Value| body["swarm"][node.ed25519().to_string()]["updated"].clone();
    let shorter = direct(&node, "expire", expire(now + 400_000, WRITE)).await.json();
    assert_eq!(own(&shorter), json!([]));
    let longer = direct(&node, "expire", expire(now + 600_000, WRITE)).await.json();
    assert_eq!(own(&longer), json!([hash]));
    let allowed = direct(&node, "expire", expire(now + 400_000, WRITE | DELETE)).await.json();
    assert_eq!(own(&allowed), json!([hash]));
    let expiry = now + 300_000;
    let params = json!({"messages": [hash], "expiry": expiry, "shorten": true});
    let params = group.by_member(params, WRITE, &format!("expireshorten{expiry}{hash}"));
    assert_eq!(direct(&node, "expire", params).await.status, 400);
}

#[tokio::test]
async fn a_token_must_be_signed_by_the_owner_and_made_for_groups() {
    let devnet = network().await;
    let group = Group::new();
    let now = devnet.now();
    let text = format!("retrieve11{now}");
    let params = || group.by_member(json!({"namespace": 11, "timestamp": now}), READ, &text);
    let node = group.node(&devnet);

    let mut hex = params();
    hex["subaccount"] = json!(data_encoding::HEXLOWER.encode(group.token(READ).as_bytes()));
    assert_eq!(direct(&node, "retrieve", hex).await.status, 200, "hexadecimal will do too");

    let mut forged = params();
    forged["subaccount_sig"] = json!(BASE64.encode(&group.member.sign(group.token(READ).as_bytes())));
    assert_eq!(direct(&node, "retrieve", forged).await.status, 401);

    for (rights, status) in [(READ, 401), (READ | SubaccountToken::ANY_PREFIX, 200)] {
        let mut bytes = *group.token(rights).as_bytes();
        bytes[0] = 5;
        let mut other = params();
        other["subaccount"] = json!(BASE64.encode(&bytes));
        other["subaccount_sig"] = json!(BASE64.encode(&group.key.sign(&bytes)));
        assert_eq!(direct(&node, "retrieve", other).await.status, status);
    }

    let mut incomplete = params();
    incomplete.as_object_mut().unwrap().remove("subaccount_sig");
    assert_eq!(direct(&node, "retrieve", incomplete).await.status, 400);
}

#[tokio::test]
async fn revoked_tokens_are_refused_until_allowed_again() {
    let devnet = network().await;
    let group = Group::new();
    let token = group.token(READ);
    group.revoke(&devnet, vec![token], false).await;
    assert_eq!(
        group.retrieve(&devnet, 11, READ).await,
        200,
        "without messages there is no account to revoke for"
    );
    let (account, now) = (Account::Group(group.id), devnet.now());
    let hash = devnet.deliver(&account, Namespace(11), *b"kept", now, now + 86_400_000);
    group.revoke(&devnet, vec![token], false).await;
    assert_eq!(group.retrieve(&devnet, 11, READ).await, 401);
    assert_eq!(group.retrieve(&devnet, -11, READ).await, 200, "there to tell the member");
    let body = group.revoke(&devnet, vec![token], true).await;
    assert!(body["swarm"].as_object().unwrap().values().all(|entry| entry["count"] == 1));
    assert_eq!(group.retrieve(&devnet, 11, READ).await, 200);
    // With the last message the revocations go.
    group.revoke(&devnet, vec![token, group.token(WRITE)], false).await;
    assert_eq!(group.retrieve(&devnet, 11, READ).await, 401);
    assert!(group.node(&devnet).forget(&account, hash));
    assert_eq!(group.retrieve(&devnet, 11, READ).await, 200);
}
