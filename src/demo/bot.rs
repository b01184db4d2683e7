//! The other account of the demo: answers every message, with a picture or a file if asked for one.

use image::{ImageFormat, Rgb, RgbImage};
use septet_client::client::Client;
use septet_client::event::Event;
use septet_client::model::{Draft, Message, OutgoingFile};
use tokio::sync::broadcast::error::RecvError;

/// The first thing the other says.
pub const GREETING: &str = "Hi! I answer whatever you write. Ask me for a \u{201c}picture\u{201d} or a \u{201c}file\u{201d}, or send me one.";

/// A message of text only.
pub fn text(text: &str) -> Draft {
    Draft { text: text.to_string(), ..Draft::default() }
}

/// Answers until the client stops.
pub async fn answer(client: Client) {
    let mut events = client.subscribe();
    loop {
        match events.recv().await {
            Ok(Event::Message(message)) if !message.outgoing && message.notice.is_none() => {
                if let Err(error) = client.send(message.conversation, reply(&message)).await {
                    tracing::warn!("the demo could not answer: {error}");
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn reply(message: &Message) -> Draft {
    let said = message.text.to_lowercase();
    if said.contains("picture") {
        Draft {
            preview: None,
            text: "Here is one I painted for you.".into(),
            files: vec![picture(message.timestamp.as_ms())],
            reply_to: None,
        }
    } else if said.contains("file") {
        Draft { text: String::new(), files: vec![notes()], ..Draft::default() }
    } else if !message.attachments.is_empty() {
        let names: Vec<_> = message.attachments.iter().map(|file| file.name.as_str()).collect();
        text(&format!("Got it: {}", names.join(", ")))
    } else {
        text(&format!("You wrote: {}", message.text))
    }
}

/// A small landscape, another one for every `seed`.
pub fn picture(seed: u64) -> OutgoingFile {
    const WIDTH: u32 = 960;
    const HEIGHT: u32 = 600;
    let hue = (seed % 6) as f32;
    let top = Rgb([90.0 + hue * 14.0, 140.0 + hue * 6.0, 220.0 - hue * 18.0]);
    let bottom = Rgb([246.0, 190.0 - hue * 10.0, 120.0 + hue * 8.0]);
    let image = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (fx, fy) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let ridge = 0.62 + 0.09 * (fx * 7.0 + hue).sin() + 0.05 * (fx * 17.0).sin();
        let shore = 0.84 + 0.02 * (fx * 11.0 + hue).cos();
        let sun = ((fx - 0.68).powi(2) * 2.56 + (fy - 0.34).powi(2)).sqrt();
        let mix = |a: f32, b: f32| a + (b - a) * (fy / 0.8).min(1.0);
        let sky = [mix(top.0[0], bottom.0[0]), mix(top.0[1], bottom.0[1]), mix(top.0[2], bottom.0[2])];
        let color = if fy > shore {
            [38.0, 92.0 + 40.0 * (1.0 - fy), 118.0]
        } else if fy > ridge {
            [52.0 + 30.0 * (fy - ridge), 66.0, 98.0 - hue * 4.0]
        } else if sun < 0.09 {
            [255.0, 236.0, 190.0]
        } else {
            sky
        };
        Rgb(color.map(|channel| channel.clamp(0.0, 255.0) as u8))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    // Writing a picture into memory fails only if the format is unknown; then there is none to send.
    if let Err(error) = image.write_to(&mut bytes, ImageFormat::Png) {
        tracing::warn!("the demo could not paint: {error}");
    }
    OutgoingFile::Bytes {
        name: "lake.png".into(),
        content_type: "image/png".into(),
        bytes: bytes.into_inner(),
    }
}

fn notes() -> OutgoingFile {
    let text = "A file from the demo.\n\nIt was encrypted, split from its key, carried through three nodes to a file\nserver, and fetched back the same way.\n";
    OutgoingFile::Bytes {
        name: "notes.txt".into(),
        content_type: "text/plain".into(),
        bytes: text.as_bytes().to_vec(),
    }
}
