//! The test vectors of the documents, sent to this network: their signatures hold here, their hashes come out here.

use septet_devnet::{Devnet, Fault};
use septet_protocol::id::{Account, Namespace};
use serde_json::{Value, json};

use crate::client::direct;
use crate::network;

/// When the requests of the vectors were signed, ms.
const THEN: u64 = 1_700_000_000_000;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../protocol/tests/data/network.json")).unwrap()
}

/// A network whose clock stands where the vectors were made.
async fn back_then() -> Devnet {
    let devnet = network().await;
    let now = i64::try_from(devnet.now()).unwrap();
    devnet.set_clock_offset(i64::try_from(THEN).unwrap() - now);
    devnet
}

#[tokio::test]
async fn hashes_come_out_as_in_the_vectors() {
    let devnet = network().await;
    for case in vectors()["message_hash"].as_array().unwrap() {
        let account = case["pubkey"].as_str().unwrap().parse().unwrap();
        let namespace = Namespace(i16::try_from(case["namespace"].as_i64().unwrap()).unwrap());
        let data = case["data_utf8"].as_str().unwrap().as_bytes();
        let now = devnet.now();
        assert_eq!(devnet.deliver(&account, namespace, data, now, now + 60_000).to_string(), case["hash"]);
    }
}

/// Method and parameters of a signed request of the vectors, without its signature.
fn request(what: &str) -> Option<(&'static str, Value)> {
    let messages = json!(["A".repeat(43), "B".repeat(43)]);
    let expiry = 1_702_592_000_000_u64;
    Some(match what {
        "retrieve ns0" => ("retrieve", json!({"namespace": 0, "timestamp": THEN})),
        "retrieve ns2" => ("retrieve", json!({"namespace": 2, "timestamp": THEN})),
        "retrieve ns-11" => ("retrieve", json!({"namespace": -11, "timestamp": THEN})),
        "store ns5" => ("store", json!({"namespace": 5, "timestamp": THEN, "ttl": 60_000, "data": "YQ=="})),
        "delete" => ("delete", json!({"messages": messages})),
        "delete_all ns0" => ("delete_all", json!({"timestamp": THEN})),
        "delete_all all" => ("delete_all", json!({"timestamp": THEN, "namespace": "all"})),
        "delete_all ns11" => ("delete_all", json!({"timestamp": THEN, "namespace": 11})),
        "expire_all all" => ("expire_all", json!({"expiry": expiry, "namespace": "all"})),
        "expire" => ("expire", json!({"expiry": expiry, "messages": messages})),
        "expire extend" => ("expire", json!({"expiry": expiry, "messages": messages, "extend": true})),
        "expire shorten" => ("expire", json!({"expiry": expiry, "messages": messages, "shorten": true})),
        "expire multi (two expiries)" => {
            ("expire", json!({"expiry": [expiry, expiry + 1], "messages": messages}))
        }
        "get_expiries" => ("get_expiries", json!({"timestamp": THEN, "messages": messages})),
        _ => return None,
    })
}

#[tokio::test]
async fn requests_signed_in_the_vectors_are_accepted() {
    let (devnet, vectors) = (back_then().await, vectors());
    let account = &vectors["account"];
    let user: Account = account["session_id"].as_str().unwrap().parse().unwrap();
    let node = &devnet.swarm_of(&user)[0];
    let mut accepted = 0;
    for case in vectors["rpc_signatures"].as_array().unwrap() {
        let Some((method, mut params)) = request(case["what"].as_str().unwrap()) else { continue };
        params["pubkey"] = json!(user.to_string());
        params["pubkey_ed25519"] = account["ed25519_public"].clone();
        params["signature"] = case["signature_base64_by_account"].clone();
        let answer = direct(node, method, params.clone()).await;
        assert_eq!(answer.status, 200, "{case} {answer:?}");
        params["signature"] = json!("A".repeat(86));
        assert_eq!(direct(node, method, params).await.status, 401, "{case}");
        accepted += 1;
    }
    assert_eq!(accepted, 14, "all but the unneeded signature and the defective method");
}

#[tokio::test]
async fn the_vectors_subaccount_is_accepted_and_can_be_revoked() {
    let (devnet, vectors) = (back_then().await, vectors());
    let id: Account = vectors["group"]["group_id"].as_str().unwrap().parse().unwrap();
    let node = &devnet.swarm_of(&id)[0];
    let sub = &vectors["subaccount"];
    // Revocations are kept for accounts that have messages.
    devnet.deliver(&id, Namespace(11), *b"kept", THEN, THEN + 86_400_000);
    let retrieve = json!({"pubkey": id.to_string(), "namespace": 11, "timestamp": THEN,
        "subaccount": sub["token_base64"], "subaccount_sig": sub["token_signature_by_group_base64"],
        "signature": sub["retrieve_ns11_signature_by_subaccount_base64"]});
    let revoke = json!({"pubkey": id.to_string(), "timestamp": THEN, "revoke": sub["token_base64"],
        "signature": sub["revoke_signature_by_group_base64"]});
    let unrevoke = json!({"pubkey": id.to_string(), "timestamp": THEN, "unrevoke": [sub["token_hex"]],
        "signature": sub["unrevoke_signature_by_group_base64"]});
    for (method, params, status) in [
        ("retrieve", &retrieve, 200),
        ("revoke_subaccount", &revoke, 200),
        ("retrieve", &retrieve, 401),
        ("unrevoke_subaccount", &unrevoke, 200),
        ("retrieve", &retrieve, 200),
    ] {
        assert_eq!(direct(node, method, params.clone()).await.status, status, "{method}");
    }
    node.set_fault(Fault::ClockSkew(61_000));
    assert_eq!(direct(node, "retrieve", retrieve).await.status, 406);
}
