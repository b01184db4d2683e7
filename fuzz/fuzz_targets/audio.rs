//! Sounds that somebody sent: decoding, seeking, waveforms.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use septet_audio::{Playback, Waveform};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = Waveform::of(Arc::from(data));
    if let Ok(mut playback) = Playback::new(Arc::from(data)) {
        let mut part = [0.0; 1024];
        for second in [0, 1, 3600, 0] {
            playback.seek(Duration::from_secs(second));
            playback.fill(&mut part);
        }
    }
});
