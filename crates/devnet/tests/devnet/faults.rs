//! Nodes that misbehave, and what those who rely on them see (spec 03 §6.8, §7).

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use septet_devnet::{Cut, Devnet, DevnetBuilder, Fault, FileFault, NodeHandle};
use septet_protocol::id::Namespace;
use septet_protocol::onion::EncType;
use serde_json::{Value, json};

use crate::client::{Answer, Person, ask, direct, http, path, post, post_with, rpc_text, through};
use crate::network;

/// A network that waits a quarter of a second for what the real one waits 30.
async fn hasty() -> Devnet {
    let patience = Duration::from_millis(250);
    DevnetBuilder::new().relay_patience(patience).member_patience(patience).start().await.unwrap()
}

async fn info_through(path: &[&NodeHandle], to: &NodeHandle) -> Answer {
    through(path, to, EncType::AesGcm, &rpc_text("info", &json!({}))).await.0
}

#[tokio::test]
async fn a_dead_guard_refuses_connections_and_breaks_open_ones() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let kept = http();
    let info = || rpc_text("info", &json!({})).into_bytes();
    assert_eq!(post_with(&kept, node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
    node.set_fault(Fault::Dead);
    assert!(post_with(&kept, node, "/storage_rpc/v1", info()).await.is_err());
    assert!(post(node, "/storage_rpc/v1", info()).await.unwrap_err().is_connect());
    node.clear_faults();
    assert_eq!(post_with(&kept, node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_dead_or_frozen_hop_or_destination_shows_as_a_time_out_that_names_nobody() {
    for fault in [Fault::Dead, Fault::Frozen, Fault::Drop(1.0)] {
        let devnet = hasty().await;
        let to = &devnet.nodes()[20];
        let path = path(&devnet, to);
        for sick in [path[1], path[2], to] {
            sick.set_fault(fault.clone());
            let started = Instant::now();
            let answer = info_through(&path, to).await;
            assert_eq!((answer.status, answer.text()), (504, "Request time out"));
            assert!(started.elapsed() >= Duration::from_millis(250));
            sick.clear_faults();
            assert_eq!(info_through(&path, to).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_frozen_guard_answers_when_it_thaws() {
    let devnet = network().await;
    let node = devnet.nodes()[0].clone();
    node.set_fault(Fault::Frozen);
    let waiting = {
        let node = node.clone();
        tokio::spawn(async move { direct(&node, "info", json!({})).await.status })
    };
    let short = Duration::from_millis(100);
    assert!(tokio::time::timeout(short, direct(&node, "info", json!({}))).await.is_err());
    node.clear_faults();
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn a_slow_node_takes_its_time_and_no_one_elses() {
    let devnet = network().await;
    let slow = &devnet.nodes()[0];
    let delay = Duration::from_millis(300);
    slow.set_fault(Fault::Slow(delay));
    let started = Instant::now();
    let others = devnet.nodes()[1..].iter().map(|node| direct(node, "info", json!({})));
    assert!(join_all(others).await.iter().all(|answer| answer.status == 200));
    let answers = join_all((0..20).map(|_| direct(slow, "info", json!({})))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(started.elapsed() >= delay);
}

#[tokio::test]
async fn lost_requests_close_the_connection() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    node.set_fault(Fault::Drop(1.0));
    assert!(post(node, "/storage_rpc/v1", rpc_text("info", &json!({})).into_bytes()).await.is_err());
    node.set_fault(Fault::Drop(0.5));
    let mut outcomes = [0, 0];
    for _ in 0..60 {
        let lost = post(node, "/storage_rpc/v1", rpc_text("info", &json!({})).into_bytes()).await.is_err();
        outcomes[usize::from(lost)] += 1;
    }
    assert!(outcomes[0] > 5 && outcomes[1] > 5, "{outcomes:?}");
}

#[tokio::test]
async fn garbage_and_cut_replies_do_not_open() {
    let devnet = network().await;
    let to = &devnet.nodes()[20];
    let path = path(&devnet, to);
    for fault in [Fault::Garbage, Fault::Truncated] {
        for sick in [path[0], path[1], path[2], to] {
            sick.set_fault(fault.clone());
            let (answer, key) = through(&path, to, EncType::XChaCha20, &rpc_text("info", &json!({}))).await;
            assert_eq!(answer.status, 200);
            assert!(key.open_node(&answer.body).is_err());
            sick.clear_faults();
        }
    }
    to.set_fault(Fault::Nonsense);
    let reply = ask(&devnet, to, "info", json!({})).await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
}

#[tokio::test]
async fn a_node_that_left_its_swarm_answers_421() {
    for (fault, silent) in [(Fault::LeftSwarm, false), (Fault::LeftSwarmSilently, true)] {
        let devnet = network().await;
        let bob = Person::new();
        let swarm = devnet.swarm_of(&bob.account());
        let gone = &swarm[2];
        gone.set_fault(fault);
        let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": 60_000, "data": "YQ=="});
        let reply = ask(&devnet, gone, "store", params.clone()).await;
        assert_eq!(reply.status, 421);
        if silent {
            assert!(reply.body.is_empty());
        } else {
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(body["snodes"].as_array().unwrap().len(), 6);
        }
        let swarm_now = direct(&devnet.nodes()[0], "get_swarm", json!({"pubkey": bob.id})).await.json();
        let keys = swarm_now["snodes"].as_array().unwrap().iter().map(|node| node["pubkey_ed25519"].clone());
        assert!(!keys.collect::<Vec<_>>().contains(&json!(gone.ed25519())));
        // The others go on without it.
        let stored = direct(&swarm[0], "store", params).await.json();
        assert_eq!(stored["swarm"].as_object().unwrap().len(), 6);
        gone.clear_faults();
        assert_eq!(devnet.swarm_of(&bob.account()).len(), 7);
    }
}

#[tokio::test]
async fn unready_busy_and_ignorant_nodes_say_so() {
    let devnet = network().await;
    let to = &devnet.nodes()[20];
    let path = path(&devnet, to);
    path[0].set_fault(Fault::NotReady);
    let answer = info_through(&path, to).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().starts_with("Service node is not ready: "));
    path[0].clear_faults();
    path[0].set_fault(Fault::Busy);
    let answer = info_through(&path, to).await;
    assert_eq!((answer.status, answer.text()), (503, "Server busy, try again later"));
    path[0].clear_faults();
    for sick in [path[2], to] {
        sick.set_fault(Fault::NotReady);
        let answer = info_through(&path, to).await;
        assert_eq!((answer.status, answer.text()), (503, &*format!("Snode not ready: {}", sick.ed25519())));
        sick.clear_faults();
    }
    path[1].set_fault(Fault::KnowsNobody);
    let answer = info_through(&path, to).await;
    assert_eq!(
        (answer.status, answer.text()),
        (502, &*format!("Next node not found: {}", path[2].ed25519()))
    );
    path[1].clear_faults();
    to.set_fault(Fault::Answers(500, "request failed".to_owned()));
    let reply = ask(&devnet, to, "info", json!({})).await;
    assert_eq!((reply.status, &reply.body[..]), (500, &b"request failed"[..]));
}

#[tokio::test]
async fn the_whole_network_can_go_away_and_come_back() {
    let devnet = network().await;
    let dead = &devnet.nodes()[3];
    dead.set_fault(Fault::Dead);
    devnet.set_file_fault(FileFault::Dead);
    devnet.network_down(true);
    let info = || rpc_text("info", &json!({})).into_bytes();
    for node in devnet.nodes() {
        assert!(post(node, "/storage_rpc/v1", info()).await.unwrap_err().is_connect());
    }
    assert!(http().post(devnet.seed_url()).body("{}").send().await.unwrap_err().is_connect());
    devnet.network_down(false);
    assert_eq!(post(&devnet.nodes()[0], "/storage_rpc/v1", info()).await.unwrap().status, 200);
    assert!(post(dead, "/storage_rpc/v1", info()).await.is_err());
    assert!(http().get(devnet.file_server_url()).send().await.unwrap_err().is_connect());
    devnet.clear_all_faults();
    assert_eq!(http().get(devnet.file_server_url()).send().await.unwrap().status().as_u16(), 404);
    assert_eq!(post(dead, "/storage_rpc/v1", info()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_sequence_keeps_what_was_done_and_tells_nobody() {
    for (number, cut, stored) in
        [(1, Cut::Before, 0), (1, Cut::After, 1), (2, Cut::Before, 1), (2, Cut::After, 2)]
    {
        let devnet = network().await;
        let bob = Person::new();
        let node = &devnet.swarm_of(&bob.account())[0];
        let store = |data: &str| {
            let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": 60_000, "data": data});
            json!({"method": "store", "params": params})
        };
        let requests = json!({"requests": [store("YQ=="), store("Yg==")]});
        devnet.cut_at("store", number, cut);
        let sequence = rpc_text("sequence", &requests).into_bytes();
        assert!(post(node, "/storage_rpc/v1", sequence).await.is_err());
        devnet.until_cut().await;
        let info = || rpc_text("info", &json!({})).into_bytes();
        assert!(post(node, "/storage_rpc/v1", info()).await.is_err());
        devnet.mend();
        assert_eq!(post(node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
        let there = devnet.messages_of(&bob.account(), Namespace::MESSAGES);
        assert_eq!(there.len(), stored, "{number} {cut:?}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_undo_its_request() {
    let devnet = network().await;
    let bob = Person::new();
    let swarm = devnet.swarm_of(&bob.account());
    swarm[0].set_fault(Fault::Frozen);
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": 60_000, "data": "YQ=="});
    let path: Vec<NodeHandle> = path(&devnet, &swarm[0]).into_iter().cloned().collect();
    let (to, text) = (swarm[0].clone(), rpc_text("store", &params));
    let client = tokio::spawn(async move {
        through(&path.iter().collect::<Vec<_>>(), &to, EncType::AesGcm, &text).await;
    });
    until("the request is at the last hop", || devnet.requests().get("relay") == Some(&3)).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    swarm[0].clear_faults();
    until("it is stored", || swarm[0].messages_of(&bob.account(), Namespace::MESSAGES).len() == 1).await;
}

/// Waits for something that no reply tells.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_network_that_was_shut_down_lets_go_of_its_ports() {
    let devnet = network().await;
    let addresses: Vec<_> = devnet.nodes().iter().map(|node| node.info().address).collect();
    let waiting = {
        let node = devnet.nodes()[0].clone();
        node.set_fault(Fault::Frozen);
        tokio::spawn(async move { post(&node, "/storage_rpc/v1", Vec::new()).await })
    };
    devnet.shutdown().await;
    assert!(waiting.await.unwrap().is_err());
    for address in addresses {
        assert!(std::net::TcpListener::bind(address).is_ok(), "{address} is still taken");
    }
}
