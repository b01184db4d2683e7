//! A network that outlives its process.

use septet_devnet::{Devnet, DevnetError};
use septet_protocol::id::Namespace;
use septet_protocol::name::Name;
use serde_json::json;

use crate::client::{Person, direct, http};

const DAY: u64 = 86_400_000;

async fn start(folder: &std::path::Path) -> Result<Devnet, DevnetError> {
    Devnet::builder().swarms(2).nodes_per_swarm(3).state_dir(folder).start().await
}

#[tokio::test]
async fn keys_ports_messages_files_and_names_survive() {
    let folder = tempfile::tempdir().unwrap();
    let bob = Person::new();
    let devnet = start(folder.path()).await.unwrap();
    let (toml, infos): (String, Vec<_>) =
        (devnet.network_toml(), devnet.nodes().iter().map(|node| node.info().clone()).collect());
    let node = devnet.swarm_of(&bob.account())[0].clone();
    let mut hashes = Vec::new();
    for (data, ttl) in [("YQ==", DAY), ("Yg==", DAY), ("Yw==", 2 * DAY)] {
        let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": ttl, "data": data});
        hashes.push(direct(&node, "store", params).await.json()["hash"].as_str().unwrap().to_owned());
    }
    let text = format!("delete{}", hashes[0]);
    let delete = bob.signed(json!({"messages": [hashes[0]]}), &text);
    assert_eq!(direct(&node, "delete", delete).await.status, 200);
    let name = Name::parse("lasting").unwrap();
    devnet.register_name(&name, &bob.id);
    let upload = format!("{}/file", devnet.file_server_url());
    assert_eq!(http().post(upload).body("file").send().await.unwrap().status().as_u16(), 200);
    let (messages, files) = (devnet.messages_of(&bob.account(), Namespace::MESSAGES), devnet.files());
    assert_eq!((messages.len(), files.len()), (2, 1));
    devnet.shutdown().await;

    let devnet = start(folder.path()).await.unwrap();
    let again: Vec<_> = devnet.nodes().iter().map(|node| node.info().clone()).collect();
    assert_eq!(devnet.files(), files);
    assert_eq!(devnet.messages_of(&bob.account(), Namespace::MESSAGES), messages);
    let keys = |infos: &[septet_devnet::NodeInfo]| -> Vec<_> {
        infos.iter().map(|info| (info.ed25519, info.legacy, info.swarm, *info.address.ip())).collect()
    };
    assert_eq!(keys(&again), keys(&infos));
    assert_eq!((again, devnet.network_toml()), (infos, toml), "also the ports, as nobody else took them");
    for node in devnet.swarm_of(&bob.account()) {
        let order: Vec<_> = node
            .messages_of(&bob.account(), Namespace::MESSAGES)
            .iter()
            .map(|m| m.hash.to_string())
            .collect();
        assert_eq!(order, hashes[1..], "in order of arrival");
    }
    let endpoint = json!({"endpoint": "ons_resolve", "params":
        {"type": 0, "name_hash": data_encoding::BASE64.encode(&name.hash())}});
    let record = direct(&devnet.nodes()[0], "oxend_request", endpoint).await.json();
    assert!(record["result"]["encrypted_value"].is_string());
}

#[tokio::test]
async fn a_folder_belongs_to_one_shape_of_network() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()).await.unwrap());
    let other = Devnet::builder().swarms(3).nodes_per_swarm(3).state_dir(folder.path()).start().await;
    assert!(matches!(other, Err(DevnetError::OtherShape { wanted: 9, found: 6 })));
}

#[tokio::test]
async fn the_network_file_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = Devnet::start().await.unwrap();
    let path = folder.path().join("network.toml");
    devnet.write_network_file(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("seeds = [\"{}\"]", devnet.seed_url())));
    assert!(text.contains(&format!("x25519 = \"{}\"", devnet.file_server_key())));
    assert!(devnet.write_network_file(folder.path()).is_err());
}
