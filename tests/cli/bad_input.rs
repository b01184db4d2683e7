//! Whatever is wrong: a sentence, the right exit code, and nothing lost.

use serde_json::Value;

use crate::harness::{Network, program};

/// The official examples of what is no recovery password.
fn invalid_phrases() -> Vec<(String, String)> {
    let text = include_str!("../../crates/protocol/tests/data/account.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let field =
        |case: &Value, name: &str| case[name].as_str().unwrap_or_else(|| panic!("{case}")).to_string();
    document["invalid"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (field(case, "input"), field(case, "error")))
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn every_invalid_phrase_is_told_what_is_wrong() {
    let network = Network::start();
    let nobody = network.nobody("nobody");
    let phrases = invalid_phrases();
    assert!(phrases.len() >= 12);
    for (input, error) in phrases {
        let ended = nobody.run_with_input(&["account", "restore"], &input);
        assert_eq!((ended.code, ended.error()), (Some(1), snake_case(&error).as_str()), "{input:?}");
        assert!(ended.sentence().ends_with(['.', '?']), "{}", ended.sentence());
    }
    assert_eq!(nobody.run(&["account", "show"]).error(), "no_account");
}

#[test]
fn wrong_ids_and_wrong_texts_are_refused() {
    let network = Network::start();
    let alice = network.person("Alice");
    let bad = |prefix: &str, rest: &str| format!("{prefix}{}", rest.repeat(64));
    for id in
        [bad("15", "a"), bad("03", "a"), bad("99", "a"), bad("05", "g"), "05".repeat(20), "a".repeat(67)]
    {
        let ended = alice.run(&["send", &id, "--text", "x"]);
        assert_eq!((ended.code, ended.error()), (Some(1), "invalid_id"), "{id}: {}", ended.stderr);
    }
    let to = alice.id.clone();
    for (text, error) in [("", "empty"), (" \n\t ", "empty"), (&*"é".repeat(2001), "too_long")] {
        let ended = alice.run_with_input(&["send", &to, "--text-file", "-"], text);
        assert_eq!((ended.code, ended.error()), (Some(1), error));
    }
    assert_eq!(alice.texts("self").len(), 0);
    let ended = alice.run(&["send", &to, "--file", "no-such-file"]);
    assert_eq!((ended.code, ended.error()), (Some(1), "file_unreadable"));
}

#[test]
fn wrong_usage_ends_with_two() {
    let ended = program().args(["--json", "send"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(error["error"]["code"], "usage");
}

#[test]
fn names_have_limits() {
    let network = Network::start();
    let nobody = network.nobody("nobody");
    for name in ["", "  ", "\u{200b}", &"x".repeat(101)] {
        let ended = nobody.run(&["account", "create", "--name", name]);
        assert_eq!((ended.code, ended.error()), (Some(1), "invalid_name"), "{name:?}");
    }
    nobody.ok(&["account", "create", "--name", &format!("  {} ", "x".repeat(100))]);
    let ended = nobody.run(&["account", "create", "--name", "Another"]);
    assert_eq!(ended.error(), "account_exists", "an account is never written over");
}

#[test]
fn unreadable_network_files_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.toml");
    let cases = [
        None,
        Some(""),
        Some("name = "),
        Some("name = \"x\"\nseeds = []"),
        Some("name = \"x\"\nseeds = [\"http://example.org/json_rpc\"]"),
        Some("name = \"x\"\nseeds = [\"ftp://127.0.0.1/\"]"),
    ];
    for content in cases {
        match content {
            Some(content) => std::fs::write(&file, content).unwrap(),
            None => drop(std::fs::remove_file(&file)),
        }
        let ended = program()
            .arg("--json")
            .arg("--profile")
            .arg(folder.path().join("profile"))
            .arg("--network")
            .arg(&file)
            .args(["account", "show"])
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(1), "{content:?}");
        let error: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(error["error"]["code"], "network_file", "{content:?}");
    }
}

#[test]
fn damaged_and_foreign_profiles_are_left_alone() {
    let network = Network::start();
    let alice = network.person("Alice");
    alice.send("self", "keep me");
    let database = alice.profile.join("septet.db");
    let good = std::fs::read(&database).unwrap();

    for bad in [b"this is no database".to_vec(), vec![0; good.len()], good[..good.len() / 2].to_vec()] {
        std::fs::write(&database, &bad).unwrap();
        let ended = alice.run(&["messages", "self"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(["damaged", "foreign"].contains(&ended.error()), "{}: {}", ended.error(), ended.sentence());
        assert_eq!(std::fs::read(&database).unwrap(), bad, "a damaged database is not touched");
    }
    std::fs::write(&database, &good).unwrap();
    assert_eq!(alice.texts("self"), ["keep me"]);
}

#[test]
fn a_profile_in_use_says_so() {
    let network = Network::start();
    let alice = network.person("Alice");
    let mut follower = alice.command(&["receive", "--follow"]).spawn().unwrap();
    // The lock is taken when the profile is opened, some milliseconds after the process starts.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let error = loop {
        // If we were first, it is the follower that was told so, and went.
        if follower.try_wait().unwrap().is_some() {
            follower = alice.command(&["receive", "--follow"]).spawn().unwrap();
        }
        let ended = alice.run(&["account", "show"]);
        if ended.code != Some(0) || std::time::Instant::now() > deadline {
            break ended.error().to_string();
        }
    };
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert_eq!(error, "in_use");
    alice.ok(&["account", "show"]);
}

#[test]
fn without_a_network_a_message_waits_and_the_command_says_four() {
    let mut network = Network::start();
    let (alice, bob) = crate::conversation::contacts(&network);
    network.stop();
    let ended = alice.run(&["send", &bob.id, "--text", "later", "--timeout", "2"]);
    assert_eq!((ended.code, ended.error()), (Some(4), "offline"), "{}", ended.stderr);
    let kept = alice.messages(&bob.id).pop().unwrap();
    assert_eq!((kept["text"].as_str(), kept["state"].as_str()), (Some("later"), Some("sending")));
}
