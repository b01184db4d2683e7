//! What was recorded or received sounds as it should.

use std::sync::Arc;
use std::time::Duration;

use septet_audio::fake::{frequency, tone};
use septet_audio::{Clip, ClipError, Kind, Playback, Speed, Waveform};

use super::{FILES, assert_near, decode, recorded, wav};

#[test]
fn a_recording_sounds_as_it_was_spoken() {
    for rate in [48_000, 44_100, 32_000, 16_000, 96_000] {
        let message = recorded(700.0, Duration::from_secs(3), rate);
        assert_eq!(Kind::sniff(&message.bytes), Some(Kind::Mp3));
        // 128 kbit/s.
        assert_near(message.bytes.len() as f32, 48_000.0, 2_500.0, "bytes");
        assert_eq!(message.waveform.duration, Duration::from_secs(3));
        let (samples, found) = decode(&message.bytes);
        assert_eq!(found, if [48_000, 44_100, 32_000].contains(&rate) { rate } else { 44_100 });
        assert_near(samples.len() as f32 / found as f32, 3.0, 0.1, "seconds");
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        assert_near(frequency(middle, found), 700.0, 5.0, "Hz");
        let loudest = middle.iter().copied().fold(0.0, f32::max);
        assert_near(loudest, 0.5, 0.1, "loudness");
    }
}

#[test]
fn files_of_other_programs_are_played() {
    for (name, file) in FILES {
        let (samples, rate) = decode(file);
        assert_near(samples.len() as f32 / rate as f32, 2.0, 0.15, name);
        assert_near(frequency(&samples[20_000..70_000], rate), 440.0, 4.0, name);
        let waveform = Waveform::of(Arc::from(file)).unwrap();
        assert_near(waveform.duration.as_secs_f32(), 2.0, 0.15, name);
        assert!(waveform.bars[4..40].iter().all(|bar| *bar > 150), "{name}: {:?}", waveform.bars);
    }
    let (samples, rate) = decode(&wav(&tone(440.0, Duration::from_secs(2), 22_050), 22_050));
    assert_eq!((samples.len(), rate), (44_100, 22_050));
}

#[test]
fn what_cannot_be_played_says_so() {
    let open = |file: &[u8]| Clip::open(Arc::from(file)).err();
    assert_eq!(open(include_bytes!("../data/tone.opus")), Some(ClipError::Unknown));
    assert_eq!(open(b"%PDF-1.7"), Some(ClipError::Unknown));
    assert_eq!(open(b""), Some(ClipError::Unknown));
}

/// Plays to the end; gives what was heard.
fn hear(playback: &mut Playback) -> Vec<f32> {
    let (mut heard, mut part) = (Vec::new(), [0.0; 480]);
    loop {
        let count = playback.fill(&mut part);
        heard.extend(&part[..count]);
        if count < part.len() {
            assert!(playback.ended());
            return heard;
        }
    }
}

#[test]
fn faster_is_shorter_in_the_same_voice() {
    let message = recorded(300.0, Duration::from_secs(4), 44_100);
    for speed in [Speed::Normal, Speed::Faster, Speed::Double] {
        let mut playback = Playback::new(message.bytes.clone().into()).unwrap();
        playback.set_rate(48_000);
        playback.set_speed(speed);
        let heard = hear(&mut playback);
        assert_near(heard.len() as f32 / 48_000.0, 4.0 / speed.factor(), 0.12, "seconds");
        let middle = &heard[heard.len() / 4..heard.len() * 3 / 4];
        assert_near(frequency(middle, 48_000), 300.0, 6.0, "Hz");
        assert_near(playback.position().as_secs_f32(), 4.0, 0.15, "position");
        // Where pieces meet, the tone goes on without a step.
        let steepest = middle.windows(2).map(|pair| (pair[0] - pair[1]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.05, "{steepest} at {speed:?}");
    }
}

/// A clip that begins low and ends high.
fn two_tones() -> Vec<f32> {
    [tone(300.0, Duration::from_secs(3), 44_100), tone(1200.0, Duration::from_secs(3), 44_100)].concat()
}

#[test]
fn seeking_goes_to_the_place_that_was_meant() {
    let mut mp3 = septet_audio::Recording::new(44_100).unwrap();
    mp3.push(&two_tones());
    for file in [mp3.finish().unwrap().bytes, wav(&two_tones(), 44_100)] {
        let mut playback = Playback::new(file.into()).unwrap();
        let mut part = [0.0; 9_600];
        playback.set_rate(48_000);
        for (to, hz, left) in [(4.0, 1200.0, 2.0), (1.0, 300.0, 5.0), (2.5, 300.0, 3.5), (0.0, 300.0, 6.0)] {
            playback.seek(Duration::from_secs_f32(to));
            assert_eq!(playback.fill(&mut part), part.len());
            assert_near(playback.position().as_secs_f32(), to + 0.2, 0.01, "position");
            assert_near(frequency(&part[2_400..], 48_000), hz, 15.0, "Hz");
            let rest = hear(&mut playback);
            assert_near((rest.len() + part.len()) as f32 / 48_000.0, left, 0.15, "seconds left");
        }
        playback.seek(Duration::from_secs(3600));
        assert_eq!(playback.fill(&mut part), 0);
        assert!(playback.ended());
    }
}

/// Where the tone changes is heard at the same moment after seeking as without.
#[test]
fn every_format_can_be_sought_in() {
    for (name, file) in FILES {
        let mut playback = Playback::new(Arc::from(file)).unwrap();
        playback.seek(Duration::from_millis(1500));
        let heard = hear(&mut playback);
        assert_near(heard.len() as f32 / 44_100.0, 0.5, 0.15, name);
        assert_near(frequency(&heard[4_000..16_000], 44_100), 440.0, 10.0, name);
    }
}
