//! Files made to break what plays them.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use septet_audio::{Clip, Playback, Waveform};

use super::{FILES, recorded};

/// Does with a file all that a window does.
fn survive(file: &[u8]) {
    let _ = Waveform::of(Arc::from(file));
    if let Ok(mut playback) = Playback::new(Arc::from(file)) {
        let mut part = [0.0; 4_096];
        playback.set_rate(48_000);
        for second in [0, 1, 3600, 0] {
            playback.seek(Duration::from_secs(second));
            for _ in 0..8 {
                playback.fill(&mut part);
            }
            assert!(part.iter().all(|sample| (-2.0..=2.0).contains(sample)));
        }
    }
}

#[test]
fn a_file_that_was_cut_off_is_played_as_far_as_it_goes() {
    for (name, file) in FILES {
        for part in 0..24 {
            survive(&file[..file.len() * part / 24]);
        }
        // The other two need their end.
        if matches!(name, "mp3" | "aac") {
            let half = Waveform::of(Arc::from(&file[..file.len() * 2 / 3])).unwrap();
            assert!((0.3..1.8).contains(&half.duration.as_secs_f32()), "{name}: {:?}", half.duration);
        }
    }
}

#[test]
fn a_header_that_lies_about_the_length_is_not_believed() {
    // An MP3 file of two seconds says that it has frames for weeks.
    let mut file = FILES[0].1.to_vec();
    let at = file.windows(4).position(|part| part == b"Xing" || part == b"Info").unwrap();
    file[at + 8..at + 12].copy_from_slice(&[0x0f, 0xff, 0xff, 0xff]);
    let waveform = Waveform::of(file.clone().into()).unwrap();
    assert!(waveform.duration < Duration::from_millis(2200), "{:?}", waveform.duration);
    survive(&file);

    // The same in an MPEG-4 file: the table of durations says that its samples last for ages.
    let mut file = FILES[2].1.to_vec();
    let at = file.windows(4).position(|part| part == b"stts").unwrap();
    file[at + 8 + 8..at + 8 + 12].copy_from_slice(&[0x00, 0xff, 0xff, 0xff]);
    let mvhd = file.windows(4).position(|part| part == b"mvhd").unwrap();
    file[mvhd + 20..mvhd + 24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    let waveform = Waveform::of(file.clone().into()).unwrap();
    assert!(waveform.duration < Duration::from_secs(3), "{:?}", waveform.duration);
    survive(&file);
}

#[test]
fn a_table_of_countless_empty_packets_comes_to_an_end() {
    let mut file = FILES[2].1.to_vec();
    // All samples of one size, nothing; four thousand million of them.
    let stsz = file.windows(4).position(|part| part == b"stsz").unwrap();
    file[stsz + 12..stsz + 16].copy_from_slice(&u32::MAX.to_be_bytes());
    let stts = file.windows(4).position(|part| part == b"stts").unwrap();
    file[stts + 12..stts + 16].copy_from_slice(&u32::MAX.to_be_bytes());
    survive(&file);
}

#[test]
fn a_clip_of_hours_is_never_in_memory_as_a_whole() {
    let second = recorded(300.0, Duration::from_secs(2), 44_100).bytes;
    let file: Arc<[u8]> = second.repeat(120).into();
    let mut clip = Clip::open(file).unwrap();
    let (mut samples, mut most, mut all) = (Vec::new(), 0, 0);
    while clip.read(&mut samples).unwrap() {
        most = most.max(samples.len());
        all += samples.len();
        samples.clear();
    }
    assert!(all > 200 * 44_100, "{all} samples in all");
    assert!(most < 44_100, "{most} samples at once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_bytes_are_survived(which in 0..5_usize, bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let start: [&[u8]; 5] =
            [b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80", b"\0\0\0\x20ftypM4A ", b"OggS\0\x02", b"RIFF\0\0\0\0WAVEfmt "];
        survive(&[start[which], &bytes].concat());
    }

    #[test]
    fn damaged_files_are_survived(
        which in 0..4_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut file = FILES[which].1.to_vec();
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        survive(&file);
    }
}
