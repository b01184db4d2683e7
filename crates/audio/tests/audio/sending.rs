//! Files from disk as voice messages.

use std::time::Duration;

use septet_audio::fake::{frequency, tone};
use septet_audio::voice::{VoiceError, from_file};

use super::{FILES, assert_near, decode, wav};

fn contains(file: &[u8], wanted: &[u8]) -> bool {
    file.windows(wanted.len()).any(|part| part == wanted)
}

#[test]
fn every_kind_is_sent_as_what_all_can_play_and_without_notes() {
    for (name, file) in FILES {
        assert!(name == "aac" || contains(file, b"Secret_Place"), "{name} has no notes to lose");
        let voice = from_file(file.to_vec()).unwrap();
        let wanted = match name {
            "m4a" => "audio/mp4",
            "aac" => "audio/aac",
            _ => "audio/mp3",
        };
        assert_eq!(voice.content_type, wanted, "{name}");
        assert_near(voice.duration.as_secs_f32(), 2.0, 0.15, name);
        // Those of an M4A are overwritten where all such files are, before they are sent.
        assert!(name == "m4a" || !contains(&voice.bytes, b"Secret_Place"), "{name}");
        let (samples, rate) = decode(&voice.bytes);
        assert_near(frequency(&samples[20_000..60_000], rate), 440.0, 5.0, name);
    }
    let voice = from_file(wav(&tone(440.0, Duration::from_secs(1), 48_000), 48_000)).unwrap();
    assert_eq!((voice.content_type, voice.duration), ("audio/mp3", Duration::from_secs(1)));
}

#[test]
fn five_minutes_are_the_most() {
    let minutes = |seconds: usize| from_file(wav(&vec![0.0; seconds * 8_000], 8_000));
    assert!(minutes(300).is_ok());
    assert_eq!(minutes(302), Err(VoiceError::TooLong));
}

#[test]
fn what_is_no_sound_is_refused() {
    assert_eq!(from_file(b"hello".to_vec()), Err(VoiceError::Unknown));
    assert_eq!(from_file(b"OggS".to_vec()), Err(VoiceError::Damaged));
    assert_eq!(from_file(include_bytes!("../data/tone.opus").to_vec()), Err(VoiceError::Unknown));
}
