//! `kill -9` at any moment after a message with photos was sent: text and photos arrive, once, after the next start,
//! and nothing of them is left lying about.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, RgbImage};

use crate::conversation::contacts;
use crate::harness::{Network, Person};

/// Photos of one message.
const PHOTOS: usize = 8;
/// Between two of the moments at which it is killed.
const STEP: Duration = Duration::from_millis(50);
/// After so many rounds, other people go on: profiles would grow without end.
const ROUNDS_TOGETHER: usize = 10;

/// How often to kill; the environment may ask for more.
fn rounds() -> usize {
    std::env::var("SEPTET_ENTER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// A photo as a camera makes it: 4000×3000 pixels with noise, 3 to 6 MB.
fn photo(seed: u32) -> &'static [u8] {
    static PHOTO: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let photos = PHOTO.get_or_init(|| [1_u32, 2].map(make_photo));
    &photos[(seed % 2) as usize]
}

fn make_photo(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let picture = RgbImage::from_fn(4000, 3000, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 27) as u8;
        image::Rgb([(x / 20) as u8 + noise, (y / 16) as u8 + noise, ((x + y) / 32) as u8 + noise])
    });
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, 90).encode_image(&picture).unwrap();
    assert!((3_000_000..6_000_000).contains(&out.len()), "{} bytes", out.len());
    out
}

/// Paths of the photos of one message: a few files, several times.
fn photos(folder: &Path) -> Vec<PathBuf> {
    let paths: Vec<PathBuf> = (0..2).map(|number| folder.join(format!("photo {number}.jpg"))).collect();
    for (path, seed) in paths.iter().zip(0..) {
        std::fs::write(path, photo(seed)).unwrap();
    }
    paths.iter().cycle().take(PHOTOS).cloned().collect()
}

/// Sends a message with photos and waits for the moment it is written down: what a person calls Enter.
fn press_enter(who: &Person, to: &str, text: &str, photos: &[PathBuf], temporary: &Path) -> Child {
    let mut arguments = vec!["-v", "send", to, "--text", text];
    for photo in photos {
        arguments.extend(["--file", photo.to_str().unwrap()]);
    }
    let mut process = who.command(&arguments).env("TMPDIR", temporary).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the message is written down") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended before the message was written down");
    }
    // Whoever reads no more must not be in the way of who writes.
    std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
    process
}

/// Names of all files below a folder.
fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { _ = found.insert(path) }
    }
    found
}

/// What one message brought: how often it is there, and the sizes of its pictures.
fn arrived(events: &[serde_json::Value], text: &str) -> Vec<Vec<(u32, u32)>> {
    let messages = events.iter().filter(|event| event["event"] == "message" && event["text"] == text);
    let sizes = |message: &serde_json::Value| {
        let files = message["attachments"].as_array().unwrap().iter();
        files
            .map(|file| ImageReader::open(file["path"].as_str().unwrap()).unwrap().into_dimensions().unwrap())
            .collect()
    };
    messages.map(sizes).collect()
}

/// One message, killed so long after Enter and sent on by the next start. Whether it was killed before it was out.
fn round(network: &Network, alice: &Person, bob: &Person, number: usize, photos: &[PathBuf]) -> bool {
    let (text, moment) = (format!("round {number}"), STEP * u32::try_from(number).unwrap());
    let temporary = network.folder().join("temporary");
    std::fs::create_dir_all(&temporary).unwrap();
    let mut process = press_enter(alice, &bob.id, &text, photos, &temporary);
    let deadline = Instant::now() + moment;
    let mut ended = None;
    while Instant::now() < deadline && ended.is_none() {
        ended = process.try_wait().unwrap();
        std::thread::yield_now();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(ended.is_none_or(|status| status.success()));

    let shown = |person: &Person| {
        let messages = person.messages(&bob.id);
        let mut found = messages.into_iter().filter(|message| message["text"] == text.as_str());
        let message = found.next().expect("what was written is there");
        assert!(found.next().is_none(), "and once");
        assert_eq!(message["attachments"].as_array().unwrap().len(), PHOTOS);
        message["state"].as_str().unwrap().to_owned()
    };
    shown(alice);
    let sent = alice.run(&["receive", "--timeout", "240"]);
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    assert_eq!(shown(alice), "sent");

    let into = network.folder().join(format!("in {number}"));
    let received = bob.run(&["receive", "--timeout", "240", "--download", into.to_str().unwrap()]);
    assert_eq!(received.code, Some(0), "{}", received.stderr);
    assert_eq!(arrived(&received.lines, &text), [vec![(4000, 3000); PHOTOS]], "round {number}");
    std::fs::remove_dir_all(into).unwrap();

    assert!(files_below(&temporary).is_empty(), "{:?}", files_below(&temporary));
    ended.is_none()
}

#[test]
fn killed_at_any_moment_after_enter_text_and_photos_arrive_once() {
    let network = Network::start();
    let photos = photos(network.folder());
    let mut killed = 0;
    let mut people = Vec::new();
    for number in 0..rounds() {
        if number % ROUNDS_TOGETHER == 0 {
            for person in people.drain(..) {
                let person: Person = person;
                std::fs::remove_dir_all(person.profile).unwrap();
            }
            let (mut alice, mut bob) = contacts(&network);
            for person in [&mut alice, &mut bob] {
                let folder = person.profile.with_extension(format!("{number}"));
                std::fs::rename(&person.profile, &folder).unwrap();
                person.profile = folder;
            }
            people.extend([alice, bob]);
        }
        // With few rounds, spread over the time that many would take.
        let moment = number * 100 / rounds().min(100);
        let begun = Instant::now();
        let early = round(&network, &people[0], &people[1], moment, &photos);
        killed += usize::from(early);
        eprintln!("{} ms after Enter: killed {early}, {} s", moment * 50, begun.elapsed().as_secs());
        // The photos of each message, and nothing else.
        let stored = files_below(&people[0].profile.join("files"));
        assert_eq!(stored.len(), (number % ROUNDS_TOGETHER + 1) * PHOTOS, "{stored:?}");
        assert!(stored.iter().all(|path| path.extension().is_none()), "{stored:?}");
    }
    eprintln!("{killed} of {} were killed before they were out", rounds());
}
