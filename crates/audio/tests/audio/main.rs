//! Files of other programs, files of ours, and files of nobody who means well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // it is a test

mod hostile;
mod playing;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use septet_audio::fake::tone;
use septet_audio::{Clip, Recording};

/// Two seconds of 440 Hz in every format that can be played.
pub const FILES: [(&str, &[u8]); 4] = [
    ("mp3", include_bytes!("../data/tone.mp3")),
    ("aac", include_bytes!("../data/tone.aac")),
    ("m4a", include_bytes!("../data/tone.m4a")),
    ("ogg", include_bytes!("../data/tone.ogg")),
];

/// All samples of a file.
pub fn decode(file: &[u8]) -> (Vec<f32>, u32) {
    let mut clip = Clip::open(Arc::from(file)).unwrap();
    let mut samples = Vec::new();
    while clip.read(&mut samples).unwrap() {}
    (samples, clip.rate())
}

/// A voice message that hums at this frequency.
pub fn recorded(frequency: f32, length: Duration, rate: u32) -> septet_audio::Recorded {
    let mut recording = Recording::new(rate).unwrap();
    for part in tone(frequency, length, rate).chunks(999) {
        recording.push(part);
    }
    recording.finish().unwrap()
}

/// A WAV file of 16-bit samples.
pub fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
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

/// Checks a measured value.
pub fn assert_near(found: f32, wanted: f32, by: f32, what: &str) {
    assert!((found - wanted).abs() <= by, "{what}: {found} instead of {wanted}");
}
