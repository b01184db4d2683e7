//! Files sent as voice messages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use septet_audio::fake::{frequency, tone};
use septet_audio::{Clip, Kind};
use serde_json::Value;

use crate::conversation::contacts;
use crate::harness::{Network, Person};

/// A WAV file of 16-bit samples.
fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let bytes: Vec<u8> = samples.iter().flat_map(|it| ((it * 32_767.0) as i16).to_le_bytes()).collect();
    let length = bytes.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(bytes);
    file
}

/// The files that somebody receives, fetched into a folder.
fn files(person: &Person, into: &Path) -> Vec<Value> {
    let ended = person.run(&["receive", "--download", into.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let messages = ended.lines.iter().filter(|event| event["event"] == "message");
    messages.flat_map(|message| message["attachments"].as_array().unwrap().clone()).collect()
}

#[test]
fn a_file_arrives_as_a_voice_message_on_all_devices() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let laptop = network.nobody("laptop");
    laptop.ok_with_input(&["account", "restore"], &alice.phrase);
    let out = network.folder().join("out");
    std::fs::create_dir(&out).unwrap();
    let m4a: &[u8] = include_bytes!("../../crates/audio/tests/data/tone.m4a");
    assert!(m4a.windows(12).any(|part| part == b"Secret_Place"), "it has no notes to lose");
    let spoken = wav(&tone(600.0, Duration::from_secs(3), 48_000), 48_000);
    for (name, content) in [("memo.wav", spoken.as_slice()), ("memo.m4a", m4a)] {
        std::fs::write(out.join(name), content).unwrap();
        let sent = alice.ok(&["send", &bob.id, "--voice", out.join(name).to_str().unwrap()]);
        assert_eq!(sent["state"], "sent", "{sent}");
    }
    let (at_bobs, at_laptop) = (network.folder().join("bob"), network.folder().join("laptop-in"));
    let received = files(&bob, &at_bobs);
    let copied = files(&laptop, &at_laptop);
    for files in [&received, &copied] {
        let wanted = [("audio/mp3", Kind::Mp3, 3.0, 600.0), ("audio/mp4", Kind::M4a, 2.0, 440.0)];
        assert_eq!(files.len(), wanted.len(), "{files:?}");
        for (file, (content_type, kind, seconds, hz)) in files.iter().zip(wanted) {
            assert_eq!(
                (&file["voice"], &file["content_type"]),
                (&true.into(), &content_type.into()),
                "{file}"
            );
            assert_eq!(file["name"], "session-audio-message", "{file}");
            let bytes = std::fs::read(file["path"].as_str().unwrap()).unwrap();
            assert!(!bytes.windows(12).any(|part| part == b"Secret_Place"), "its notes were sent along");
            assert_eq!(Kind::sniff(&bytes), Some(kind));
            let (mut samples, mut clip) = (Vec::new(), Clip::open(Arc::from(bytes)).unwrap());
            while clip.read(&mut samples).unwrap() {}
            let found = samples.len() as f32 / clip.rate() as f32;
            assert!((found - seconds).abs() < 0.15, "{found} s instead of {seconds}");
            let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
            let found = frequency(middle, clip.rate());
            assert!((found - hz).abs() < 8.0, "{found} Hz instead of {hz}");
        }
    }
    let message = alice.messages(&bob.id).pop().unwrap();
    assert_eq!((&message["text"], &message["attachments"][0]["voice"]), (&"".into(), &true.into()));
}

#[test]
fn what_cannot_be_a_voice_message_is_refused_with_a_sentence() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let out = network.folder().join("out");
    std::fs::create_dir(&out).unwrap();
    let long = wav(&vec![0.0; 302 * 8_000], 8_000);
    for (name, content, reason) in [
        ("notes.txt", &b"hello"[..], "no sound that Septet can play"),
        ("cut.ogg", b"OggS", "damaged"),
        ("long.wav", &long, "longer than the 5 minutes"),
    ] {
        let path = out.join(name);
        std::fs::write(&path, content).unwrap();
        let refused = alice.run(&["send", &bob.id, "--voice", path.to_str().unwrap()]);
        assert_eq!((refused.code, refused.error()), (Some(1), "voice"), "{}", refused.stderr);
        let sentence = refused.sentence();
        assert!(sentence.contains(name) && sentence.contains(reason), "{sentence}");
    }
    let missing = alice.run(&["send", &bob.id, "--voice", "missing.mp3"]);
    assert_eq!((missing.code, missing.error()), (Some(1), "voice"), "{}", missing.stderr);
    let both = alice.run(&["send", &bob.id, "--voice", "a.mp3", "--text", "listen"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
}
