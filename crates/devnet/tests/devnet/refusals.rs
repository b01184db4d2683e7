//! What cannot be read or must not be done, and the texts for it (spec 03 §9.1–§9.3).

use serde_json::{Value, json};

use crate::client::{Person, direct, post};
use crate::network;

/// 43 characters that name no message.
const NO_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_else() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    for (body, text) in [
        ("{", "invalid json"),
        ("[]", "invalid json: no `method` field"),
        (r#"{"method":1}"#, "invalid json: no `method` field"),
        (r#"{"method":"info"}"#, "invalid json: no `params` field"),
        (r#"{"method":"info","params":[]}"#, "invalid json: no `params` field"),
        (r#"{"method":"dance","params":{}}"#, "no method dance"),
        (r#"{"method":"active_nodes_bin","params":{}}"#, "no method active_nodes_bin"),
    ] {
        let answer = post(node, "/storage_rpc/v1", body.into()).await.unwrap();
        assert_eq!((answer.status, answer.text()), (400, text));
    }
}

#[tokio::test]
async fn mistakes_in_parameters_are_named() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    let pk = json!(bob.id);
    let sig = json!("A".repeat(86));
    let cases: Vec<(&str, Value, &str)> = vec![
        ("store", json!({}), "Required field 'timestamp' missing"),
        ("store", json!({"timestamp": now}), "Required field 'expiry' or 'ttl' missing"),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "expiry": now}),
            "Cannot specify both 'expiry' and 'ttl'",
        ),
        ("store", json!({"timestamp": "x", "ttl": 1}), "Invalid value given for 'timestamp': \"x\""),
        ("store", json!({"timestamp": now, "ttl": true}), "Invalid value given for 'ttl': expected integer"),
        ("store", json!({"timestamp": now, "ttl": 1}), "Required field 'pubkey' missing"),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "pubkey": "05"}),
            "Pubkey must be 66 hex digits (33 bytes) long",
        ),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "pubkey": pk, "pubKey": pk}),
            "Cannot specify both 'pubkey' and 'pubKey'",
        ),
        ("store", json!({"timestamp": now, "ttl": 1, "pubkey": pk}), "Required field 'data' missing"),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "pubkey": pk, "data": "?"}),
            "Invalid 'data' value: not base64 encoded",
        ),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "pubkey": pk, "data": "A".repeat(102_404)}),
            "Message body exceeds maximum allowed length of 76800 bytes",
        ),
        (
            "store",
            json!({"timestamp": now, "ttl": 1, "pubkey": pk, "data": "", "namespace": 32_768}),
            "Invalid value given for 'namespace': value out of range",
        ),
        ("retrieve", json!({"pubkey": pk, "namespace": 0}), "Required field 'signature' missing"),
        ("retrieve", json!({"pubkey": pk, "timestamp": now}), "Required field 'signature' missing"),
        ("retrieve", json!({"pubkey": pk, "signature": sig}), "Required field 'timestamp' missing"),
        (
            "retrieve",
            json!({"pubkey": pk, "signature": sig, "timestamp": 1_700_000}),
            "Invalid timestamp for 'timestamp': timestamp must be in milliseconds",
        ),
        (
            "retrieve",
            json!({"pubkey": pk, "signature": "A", "timestamp": now}),
            "invalid signature: expected base64 encoded Ed25519 signature",
        ),
        (
            "retrieve",
            json!({"pubkey": pk, "signature": sig, "timestamp": now, "last_hash": "abc"}),
            "Invalid last_hash: expected base64 (43 chars)",
        ),
        (
            "retrieve",
            json!({"pubkey": pk, "signature": sig, "timestamp": now, "pubkey_ed25519": "00"}),
            "Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey",
        ),
        (
            "retrieve",
            json!({"pubkey": pk, "signature": sig, "timestamp": now, "pubkey_ed25519": "g".repeat(64)}),
            "invalid pubkey_ed25519: value is not hex",
        ),
        (
            "retrieve",
            json!({"pubkey": format!("03{}", "0".repeat(64)), "signature": sig, "timestamp": now,
                   "pubkey_ed25519": "0".repeat(64)}),
            "pubkey_ed25519 is only permitted for 05[...] pubkeys",
        ),
        ("delete", json!({"pubkey": pk, "signature": sig}), "Required field 'messages' missing"),
        (
            "delete",
            json!({"pubkey": pk, "signature": sig, "messages": []}),
            "messages does not contain any message hashes",
        ),
        ("delete", json!({"pubkey": pk, "signature": sig, "messages": ["x"]}), "invalid message hash: x"),
        (
            "delete",
            json!({"pubkey": pk, "signature": sig, "messages": [NO_HASH], "required": 1}),
            "Invalid value given for 'required': expected boolean",
        ),
        ("delete_all", json!({"pubkey": pk, "signature": sig}), "Required field 'timestamp' missing"),
        (
            "delete_all",
            json!({"pubkey": pk, "signature": sig, "timestamp": now, "namespace": "some"}),
            "Invalid value given for 'namespace': expected integer or \"all\"",
        ),
        ("delete_before", json!({"pubkey": pk, "signature": sig}), "Required field 'before' missing"),
        ("expire_all", json!({"pubkey": pk, "signature": sig}), "Required field 'expiry' missing"),
        (
            "expire",
            json!({"pubkey": pk, "signature": sig, "messages": [NO_HASH], "expiry": now, "shorten": true,
                   "extend": true}),
            "cannot specify both 'shorten' and 'extend'",
        ),
        (
            "expire",
            json!({"pubkey": pk, "signature": sig, "messages": [NO_HASH], "expiry": [now, now]}),
            "'expiry' must be a single expiry, or the same length as 'messages'",
        ),
        (
            "revoke_subaccount",
            json!({"pubkey": pk, "signature": sig, "timestamp": now, "revoke": ["x"]}),
            "invalid revoke: expected base64 or hex-encoded subaccount tag",
        ),
        ("get_swarm", json!({"pubkey": "05"}), "Pubkey must be 66 hex digits/33 bytes long"),
        ("oxend_request", json!({"endpoint": "stop_daemon"}), "Invalid oxend endpoint 'stop_daemon'"),
        ("batch", json!({}), "Invalid batch request: no valid \"requests\" field"),
        ("batch", json!({"requests": []}), "Invalid batch request: no valid \"requests\" field"),
        (
            "batch",
            json!({"requests": vec![json!({"method": "info", "params": {}}); 21]}),
            "Invalid batch request: subrequest limit exceeded",
        ),
        (
            "batch",
            json!({"requests": [{"method": "batch", "params": {"requests": [{"method": "info", "params": {}}]}}]}),
            "Invalid batch subrequest: subrequests may not contain meta-requests",
        ),
        (
            "sequence",
            json!({"requests": [{"method": "info", "params": {}}, {"method": "store", "params": {}}]}),
            "Required field 'timestamp' missing",
        ),
        (
            "ifelse",
            json!({"if": {}, "then": {"method": "info", "params": {}}}),
            "Invalid ifelse request: must specify at least one \"if\" condition",
        ),
    ];
    for (method, params, text) in cases {
        let answer = direct(node, method, params.clone()).await;
        assert_eq!(
            (answer.status, answer.text()),
            (400, &*format!("invalid request: {text}")),
            "{method} {params}"
        );
    }
}

#[tokio::test]
async fn an_account_of_another_swarm_is_sent_there() {
    let devnet = network().await;
    let bob = Person::new();
    let right = devnet.swarm_of(&bob.account());
    let wrong = devnet.nodes().iter().find(|node| node.info().swarm != right[0].info().swarm).unwrap();
    let now = devnet.now();
    let params = json!({"pubkey": bob.id, "timestamp": now, "ttl": 1, "data": "YQ=="});
    let answer = direct(wrong, "store", params).await;
    assert_eq!(answer.status, 421);
    let body = answer.json();
    let members: Vec<&str> = body["snodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["pubkey_ed25519"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = right.iter().map(|node| node.ed25519().to_string()).collect();
    assert_eq!(members, expected);
    assert_eq!(body["swarm"], json!(right[0].info().swarm.to_string()));
    assert_eq!(body["hf"], json!([19, 4]));
    assert!(body["t"].is_u64());
    for method in ["delete", "expire"] {
        let params =
            json!({"pubkey": bob.id, "signature": "A".repeat(86), "messages": [NO_HASH], "expiry": now});
        assert_eq!(direct(wrong, method, params).await.status, 421);
    }
}

#[tokio::test]
async fn lifetimes_and_times_of_stores_have_bounds() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    let day = 86_400_000;
    for (timestamp, ttl, status, text) in [
        (now, 9_999, 403, "Provided expiry/TTL is not valid."),
        (now, 10_000, 200, ""),
        (now, 14 * day, 200, ""),
        (now, 14 * day + 1, 403, "Provided expiry/TTL is not valid."),
        (now + 15_000, day, 406, "Timestamp error: check your clock"),
        (now + 5_000, day, 200, ""),
        (now - 2 * day, day, 406, "Timestamp error: check your clock"),
        (now - 2 * day, 3 * day, 200, ""),
    ] {
        let params = json!({"pubkey": bob.id, "timestamp": timestamp, "ttl": ttl, "data": "YQ=="});
        let answer = direct(node, "store", params).await;
        assert_eq!(answer.status, status, "{timestamp} {ttl} {answer:?}");
        if status != 200 {
            assert_eq!(answer.text(), text);
        }
    }
    let text = format!("store2{now}");
    for (ttl, status) in [(30 * day, 200), (30 * day + 1, 403)] {
        let params = json!({"namespace": 2, "timestamp": now, "ttl": ttl, "data": "YQ=="});
        assert_eq!(direct(node, "store", bob.signed(params, &text)).await.status, status);
    }
}

#[tokio::test]
async fn signatures_are_demanded_checked_and_timed() {
    let devnet = network().await;
    let (bob, eve) = (Person::new(), Person::new());
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    let refused = async |method: &str, params: Value, status: u16, text: &str| {
        let answer = direct(node, method, params).await;
        assert_eq!((answer.status, answer.text()), (status, text), "{method}");
    };
    let unsigned = json!({"pubkey": bob.id, "namespace": 5, "timestamp": now, "ttl": 60_000, "data": "YQ=="});
    refused("store", unsigned, 401, "store: signature required to store to namespace 5").await;
    refused("retrieve", json!({"pubkey": bob.id}), 401, "retrieve: request signature required").await;

    let old = now - 61_000;
    let times = [
        (
            "retrieve",
            json!({"timestamp": old, "namespace": 0}),
            "retrieve timestamp too far from current time",
        ),
        ("delete_all", json!({"timestamp": old}), "delete_all timestamp too far from current time"),
        (
            "get_expiries",
            json!({"timestamp": old, "messages": [NO_HASH]}),
            "get_expiries timestamp too far from current time",
        ),
        ("expire_all", json!({"expiry": old}), "expire_all timestamp should be >= current time"),
        (
            "revoke_subaccount",
            json!({"timestamp": old, "revoke": []}),
            "revoke_subaccount timestamp too far from current time",
        ),
        (
            "store",
            json!({"namespace": 2, "timestamp": now, "sig_timestamp": old, "ttl": 60_000, "data": "YQ=="}),
            "store signature timestamp too far from current time",
        ),
    ];
    for (method, params, text) in times {
        refused(method, bob.signed(params, "whatever"), 406, text).await;
    }
    let before = bob.signed(json!({"before": now + 70_000}), "whatever");
    refused("delete_before", before, 401, "delete_before timestamp too far in the future").await;
    let expire = bob.signed(json!({"expiry": old, "messages": [NO_HASH]}), "whatever");
    refused("expire", expire, 401, "expire: timestamp should be >= current time").await;

    let forged = [
        ("retrieve", json!({"timestamp": now, "namespace": 0}), "retrieve signature verification failed"),
        ("delete", json!({"messages": [NO_HASH]}), "delete_msgs signature verification failed"),
        ("delete_all", json!({"timestamp": now}), "delete_all signature verification failed"),
        ("delete_before", json!({"before": now}), "delete_before signature verification failed"),
        ("expire", json!({"messages": [NO_HASH], "expiry": now}), "expire: signature verification failed"),
        ("expire_all", json!({"expiry": now}), "expire_all signature verification failed"),
        (
            "get_expiries",
            json!({"timestamp": now, "messages": [NO_HASH]}),
            "get_expiries signature verification failed",
        ),
        (
            "unrevoke_subaccount",
            json!({"timestamp": now, "unrevoke": []}),
            "unrevoke_subaccount signature verification failed",
        ),
        (
            "store",
            json!({"namespace": 2, "timestamp": now, "ttl": 60_000, "data": "YQ=="}),
            "store signature verification failed",
        ),
    ];
    for (method, params, text) in forged {
        refused(method, bob.signed(params, "whatever"), 401, text).await;
    }
    // A good signature by a key that is not the account's.
    let mut stolen = eve.signed(json!({"timestamp": now, "namespace": 0}), &format!("retrieve{now}"));
    stolen["pubkey"] = json!(bob.id);
    refused("retrieve", stolen, 401, "retrieve signature verification failed").await;
}

#[tokio::test]
async fn a_node_with_a_wrong_clock_refuses_what_is_signed_for_the_right_time() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    node.set_fault(septet_devnet::Fault::ClockSkew(3_600_000));
    let now = devnet.now();
    let params = bob.signed(json!({"timestamp": now, "namespace": 0}), &format!("retrieve{now}"));
    assert_eq!(direct(node, "retrieve", params).await.status, 406);
    let theirs = direct(node, "info", json!({})).await.json()["timestamp"].as_u64().unwrap();
    assert!(theirs.abs_diff(now + 3_600_000) < 60_000);
    let params = bob.signed(json!({"timestamp": theirs, "namespace": 0}), &format!("retrieve{theirs}"));
    assert_eq!(direct(node, "retrieve", params).await.status, 200);
}
