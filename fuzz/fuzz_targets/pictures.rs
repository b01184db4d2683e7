//! Pictures that are to be sent: decoded, turned, scaled and stripped.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/client/src/engine/pictures.rs"]
mod pictures;

/// What a picture of more pixels costs is limited by a constant, but it takes seconds.
const QUICK: u64 = 1_000_000;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limit = 10_000_000;
    let head = data.get(..4096).unwrap_or(data);
    let _ = (pictures::may_shrink(head), pictures::foresee(head));
    if pictures::foresee(data).is_some_and(|(width, height)| u64::from(width) * u64::from(height) > QUICK) {
        return;
    }
    let prepared = pictures::prepare(data.to_vec(), "application/octet-stream", limit);
    assert!(prepared.bytes.len() as u64 <= limit.max(data.len() as u64 + 64));
    if let Some(picture) = pictures::display_picture(data) {
        assert!(picture.len() < 2_000_000, "{} bytes of a display picture", picture.len());
    }
});
