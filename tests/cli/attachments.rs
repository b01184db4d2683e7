//! Files of every size and name arrive equal, and nowhere but where they were asked for.

use std::path::{Path, PathBuf};

use crate::conversation::contacts;
use crate::harness::Network;

/// Bytes that no compression or padding could hide a mistake in.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| ((i * 131 + i / 256) % 256) as u8).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn files_arrive_byte_for_byte_up_to_the_limit() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let out = network.folder().join("out");
    std::fs::create_dir(&out).unwrap();
    for size in [1, 1_000_000, 10_000_000] {
        std::fs::write(out.join(format!("{size}.bin")), content(size)).unwrap();
    }
    let too_large = out.join("too-large.bin");
    std::fs::write(&too_large, content(10_000_001)).unwrap();

    for size in [1, 1_000_000, 10_000_000] {
        let path = out.join(format!("{size}.bin"));
        alice.ok(&["send", &bob.id, "--text", "here", "--file", path.to_str().unwrap()]);
    }
    let refused = alice.run(&["send", &bob.id, "--file", too_large.to_str().unwrap()]);
    assert_eq!((refused.code, refused.error()), (Some(1), "file_too_large"), "{}", refused.stderr);
    assert!(refused.sentence().contains("too-large.bin"), "{}", refused.sentence());

    let into = network.folder().join("in");
    let ended = bob.run(&["receive", "--download", into.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut seen = 0;
    for event in ended.lines.iter().filter(|event| event["event"] == "message") {
        for file in event["attachments"].as_array().unwrap() {
            let size = file["size"].as_u64().unwrap() as usize;
            let path = file["path"].as_str().unwrap_or_else(|| panic!("not fetched: {file}"));
            assert!(std::fs::read(path).unwrap() == content(size), "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn hostile_file_names_stay_in_the_folder() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let out = network.folder().join("out");
    std::fs::create_dir(&out).unwrap();
    let names = [
        "plain.txt",
        "..\\..\\up.txt",
        "photo\u{202e}gpj.exe",
        "a:b.txt",
        &format!("{}.txt", "n".repeat(240)),
    ];
    for name in names {
        let path = out.join(name);
        std::fs::write(&path, name).unwrap();
        alice.ok(&["send", &bob.id, "--file", path.to_str().unwrap()]);
    }
    let into = network.folder().join("in");
    let ended = bob.run(&["receive", "--download", into.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let saved = files_below(&into);
    assert_eq!(saved.len(), names.len(), "{saved:?}");
    let mut contents: Vec<_> = saved.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    contents.sort();
    let mut expected = names.map(String::from).to_vec();
    expected.sort();
    assert_eq!(contents, expected);
    for path in saved {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.contains(['/', '\\', ':', '\0', '\u{202e}']), "{name:?}");
    }
}

#[test]
fn an_empty_file_is_refused_with_a_sentence() {
    let network = Network::start();
    let alice = network.person("Alice");
    let path = network.folder().join("empty.txt");
    std::fs::write(&path, "").unwrap();
    let refused = alice.run(&["send", "self", "--file", path.to_str().unwrap()]);
    assert_eq!((refused.code, refused.error()), (Some(1), "file_empty"), "{}", refused.stderr);
}

#[test]
fn a_file_that_may_tell_where_it_was_made_is_named_before_it_is_sent() {
    let network = Network::start();
    let alice = network.person("Alice");
    let scan = network.folder().join("scan.tif");
    std::fs::write(&scan, b"MM\0*\0\0\0\x08\0\0\0\0\0\0").unwrap();
    let notes = network.folder().join("notes.txt");
    std::fs::write(&notes, "at home").unwrap();
    let send = |file: &Path| alice.run(&["send", &alice.id, "--file", file.to_str().unwrap()]);
    let sent = send(&scan);
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    assert!(sent.stderr.contains("scan.tif may say where it was made"), "{}", sent.stderr);
    assert!(!send(&notes).stderr.contains("may say where"));
}
