//! Voice messages: spoken, listened to, sent, played by the other.

use std::sync::Arc;
use std::time::Duration;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use septet::gui::command::{Command, Update};
use septet::gui::sound::{ClipKey, Meter, Progress, SoundNews, SoundWish};
use septet::gui::theme::ThemeChoice;
use septet_audio::Speed;
use septet_audio::fake::{FakeDevice, RATE, frequency, tone};
use septet_client::client::Client;
use septet_client::model::*;
use septet_devnet::Devnet;
use septet_protocol::account::DisplayName;

use super::real::{PATIENCE, Real, label, options, request};
use super::sample;
use super::stage::Stage;
use super::use_it::{sent, stage, write};

fn wish(command: Command) -> Option<SoundWish> {
    match command {
        Command::Sound(wish) => Some(wish),
        _ => None,
    }
}

fn news(stage: &mut Stage, news: SoundNews) {
    stage.tell(Update::Sound(news));
}

fn meter(seconds: u64) -> Arc<Meter> {
    let meter = Arc::new(Meter::default());
    for at in 0..120 {
        meter.set(Duration::from_secs(seconds), (at * 37 % 100) as f32 / 100.0);
    }
    meter
}

/// A window in which somebody has spoken for so long.
fn recording(theme: ThemeChoice, seconds: u64) -> Stage {
    let mut stage = Stage::open([1200.0, 820.0], theme);
    stage.commands();
    stage.harness.get_by_label("Record a voice message").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Record(sample::mara()));
    news(&mut stage, SoundNews::Recording(sample::mara(), meter(seconds)));
    stage
}

/// A voice message in the store of an account.
fn kept() -> KeptFile {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let net = Devnet::start().await.unwrap();
        let name = DisplayName::parse("Eva").unwrap();
        let client = Client::create(folder.path(), &name, options(&net)).await.unwrap();
        let kept = client.keep_voice("audio/mp3", vec![1; 160_000]).await.unwrap();
        client.stop().await;
        net.shutdown().await;
        kept
    })
}

fn voices(draft: &Draft) -> usize {
    draft.files.iter().filter(|file| matches!(file, OutgoingFile::Kept(kept) if kept.voice)).count()
}

#[test]
fn the_microphone_makes_room_for_what_is_written() {
    let mut stage = stage();
    assert!(stage.harness.query_by_label("Send").is_none());
    write(&mut stage, "a");
    assert!(stage.harness.query_by_label("Record a voice message").is_none());
    stage.harness.get_by_label("Send");
}

#[test]
fn enter_stops_and_enter_sends() {
    let mut stage = recording(ThemeChoice::Dark, 7);
    stage.harness.get_by_label("Recording, 0:07");
    stage.harness.get_by_label("Stop recording");
    stage.harness.snapshot("recording_dark");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Stop(sample::mara()));
    let kept = kept();
    news(&mut stage, SoundNews::Recorded(sample::mara(), kept.clone(), sample::waveform(7)));
    let draft = stage.commands().into_iter().find_map(|command| match command {
        Command::SetDraft { draft, .. } => Some(draft),
        _ => None,
    });
    assert_eq!(voices(&draft.unwrap()), 1, "it is in the draft before it is sent");
    stage.harness.snapshot("recorded_dark");
    stage.harness.key_press(Key::Space);
    stage.run();
    let SoundWish::Play { clip, run, .. } = stage.command(wish) else { panic!("it does not play") };
    assert_eq!(clip, ClipKey::Kept(kept));
    let progress = Arc::new(Progress::default());
    progress.set(Duration::from_secs(3));
    news(&mut stage, SoundNews::Playing(run, progress));
    stage.harness.get_by_label("Pause");
    stage.harness.key_press(Key::Enter);
    stage.run();
    let commands = stage.commands();
    assert!(commands.iter().any(|it| matches!(it, Command::Sound(SoundWish::Close))), "it still plays");
    let draft = commands.into_iter().find_map(sent).unwrap();
    assert_eq!((draft.text.as_str(), draft.files.len(), voices(&draft)), ("", 1, 1));
    stage.harness.get_by_label("Record a voice message");
}

#[test]
fn recorded_light() {
    let mut stage = recording(ThemeChoice::Light, 281);
    stage.harness.snapshot("recording_light");
    stage.harness.get_by_label("Send").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Stop(sample::mara()));
    news(&mut stage, SoundNews::Recorded(sample::mara(), kept(), sample::waveform(281)));
    assert_eq!(voices(&stage.command(sent)), 1, "it was to be sent as soon as it is kept");
}

#[test]
fn a_short_recording_is_forgotten_at_once_and_a_long_one_after_a_question() {
    let mut short = recording(ThemeChoice::Dark, 2);
    short.harness.key_press(Key::Escape);
    short.run();
    assert_eq!(short.command(wish), SoundWish::Discard(sample::mara()));
    short.harness.get_by_role_and_label(Role::MultilineTextInput, "Message");

    let mut long = recording(ThemeChoice::Dark, 4);
    long.harness.key_press(Key::Delete);
    long.run();
    assert!(long.commands().into_iter().filter_map(wish).next().is_none());
    long.harness.get_by_label("Cancel").click();
    long.run();
    long.harness.get_by_label("Recording, 0:04");
    long.harness.get_by_label("Delete recording").click();
    long.run();
    long.harness.get_by_label("Delete").click();
    long.run();
    assert_eq!(long.command(wish), SoundWish::Discard(sample::mara()));
}

#[test]
fn leaving_the_conversation_stops_and_keeps() {
    let mut stage = recording(ThemeChoice::Dark, 4);
    stage.harness.get_by_label("Tomasz").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Stop(sample::mara()));
    let kept = kept();
    news(&mut stage, SoundNews::Recorded(sample::mara(), kept, sample::waveform(4)));
    stage.window().open(sample::mara());
    stage.run();
    stage.harness.get_by_label("Delete recording");
    stage.harness.get_by_label("Play");
}

#[test]
fn without_a_device_it_says_so() {
    let mut stage = stage();
    stage.harness.get_by_label("Record a voice message").click();
    stage.run();
    let problem = Some("No microphone was found.".to_owned());
    news(&mut stage, SoundNews::NotRecorded(sample::mara(), problem));
    stage.harness.get_by_label_contains("No microphone was found.");
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message");
}

#[test]
fn whoever_has_not_accepted_yet_hears_nothing() {
    let mut stage = stage();
    let mut list = sample::conversations();
    let mara = list.iter_mut().find(|conversation| conversation.id == sample::mara()).unwrap();
    mara.approved_me = false;
    stage.tell(Update::Conversations(Arc::new(list)));
    stage.commands();
    stage.harness.get_by_label("Record a voice message").click();
    stage.run();
    assert!(stage.commands().into_iter().filter_map(wish).next().is_none());
}

/// Begins to play the voice message of the sample; gives its number and how far it is.
fn play(stage: &mut Stage) -> (u64, Arc<Progress>) {
    stage.commands();
    stage.harness.get_by_label("Play Voice message").click();
    stage.run();
    let SoundWish::Play { clip, run, from, .. } = stage.command(wish) else { panic!("it does not play") };
    assert_eq!((clip, from), (sample::voice(), Duration::ZERO));
    let progress = Arc::new(Progress::default());
    news(stage, SoundNews::Playing(run, Arc::clone(&progress)));
    (run, progress)
}

#[test]
fn a_clip_is_played_paused_sought_in_and_sped_up() {
    let mut stage = stage();
    let (run, progress) = play(&mut stage);
    progress.set(Duration::from_secs(9));
    stage.run();
    stage.harness.snapshot("playing_dark");
    stage.harness.get_by_role_and_label(Role::Slider, "Position").focus();
    stage.run();
    stage.harness.key_press(Key::ArrowRight);
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Seek(Duration::from_secs(14)));
    stage.harness.key_press(Key::ArrowLeft);
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Seek(Duration::from_secs(9)));
    stage.harness.get_by_label("Speed 1×").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Speed(Speed::Faster));
    stage.harness.get_by_label("Speed 1.5×");
    stage.harness.get_by_label("Pause Voice message").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Pause);
    stage.harness.get_by_label("Play Voice message").click();
    stage.run();
    assert_eq!(stage.command(wish), SoundWish::Resume);
    news(&mut stage, SoundNews::Ended(run));
    stage.harness.get_by_label("Play Voice message");
}

#[test]
fn a_click_in_the_waveform_begins_there() {
    let mut stage = stage();
    stage.commands();
    stage.harness.get_by_role_and_label(Role::Slider, "Position").click();
    stage.run();
    let SoundWish::Play { from, .. } = stage.command(wish) else { panic!("it does not play") };
    assert!((from.as_secs_f32() - 11.5).abs() < 0.3, "{from:?}");
}

#[test]
fn it_goes_on_elsewhere_and_a_strip_tells() {
    let mut stage = stage();
    let (run, progress) = play(&mut stage);
    progress.set(Duration::from_secs(9));
    stage.tell(Update::Message(Box::new(sample::message(
        90,
        false,
        "And this",
        sample::messages()[7].timestamp,
    ))));
    stage.harness.get_by_label("Pause Voice message");
    assert!(stage.harness.query_by_label("Playing from Mara Reyes").is_none());
    stage.harness.get_by_label("Tomasz").click();
    stage.run();
    assert!(stage.commands().into_iter().filter_map(wish).next().is_none(), "it goes on");
    stage.harness.get_by_label("Playing from Mara Reyes");
    stage.harness.snapshot("strip_dark");
    // What failed after it was replaced says nothing.
    news(&mut stage, SoundNews::Failed(run + 1, "This sound is damaged.".into()));
    stage.harness.get_by_label("Playing from Mara Reyes").click();
    stage.run();
    stage.harness.get_by_label("Stop playing").click();
    stage.run();
    let wishes: Vec<_> = stage.commands().into_iter().filter_map(wish).collect();
    assert_eq!(wishes, [SoundWish::Close]);
    assert!(stage.harness.query_by_label("Playing from Mara Reyes").is_none());
}

#[test]
fn what_plays_ends_when_its_message_is_gone() {
    let mut stage = stage();
    play(&mut stage);
    stage.tell(Update::Gone(sample::mara(), MessageId(4)));
    assert_eq!(stage.command(wish), SoundWish::Close);
}

#[test]
fn what_cannot_be_played_can_be_saved() {
    let mut stage = Stage::open([1200.0, 820.0], ThemeChoice::Light);
    news(&mut stage, SoundNews::Looked(sample::voice(), None));
    assert!(stage.harness.query_by_label("Play Voice message").is_none());
    stage.harness.snapshot("not_playable_light");
    stage.commands();
    stage.harness.get_by_label("Save as… Voice message").click();
    stage.run();
    let saved = stage.command(|command| match command {
        Command::SaveAs { attachment, .. } => Some(attachment),
        _ => None,
    });
    assert_eq!(saved, AttachmentId(3));
}

/// What a speaker plays in so many ms.
fn hear(real: &mut Real, device: &FakeDevice, ms: u64) -> Vec<f32> {
    real.until(|| device.is_playing());
    let heard = device.listen(Duration::from_millis(ms)).unwrap();
    real.harness.step();
    heard
}

fn assert_hums(heard: &[f32], wanted: f32) {
    let middle = &heard[heard.len() / 4..heard.len() * 3 / 4];
    let found = frequency(middle, RATE);
    assert!((found - wanted).abs() < 12.0, "{found} Hz instead of {wanted}");
}

#[test]
fn a_voice_message_is_spoken_sent_and_heard_by_the_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let profile = folder.path().join("mara");
    let mara = runtime.block_on(async {
        let name = DisplayName::parse("Mara").unwrap();
        let mara = Client::create(&profile, &name, options(&net)).await.unwrap();
        mara.start();
        mara
    });
    let own = mara.id().to_string();
    let (ours, theirs) = (FakeDevice::default(), FakeDevice::default());
    let mut eva = Real::open_with(&folder.path().join("eva"), options(&net), ours.clone());
    eva.first_run("Eva");
    eva.find(&own);
    eva.write("Hello");
    runtime.block_on(async {
        let from = tokio::time::timeout(PATIENCE, request(&mara)).await.unwrap();
        mara.accept(from).await.unwrap();
        mara.send(from, Draft { text: "Speak!".into(), ..Draft::default() }).await.unwrap();
        mara.flush(PATIENCE).await.unwrap();
        mara.stop().await;
    });
    eva.wait_label("Mara: Speak!, ");

    eva.wait(|harness| {
        harness.query_by_label("Record a voice message").filter(|node| !node.accesskit_node().is_disabled())
    })
    .click();
    eva.until(|| ours.is_recording());
    let half = Duration::from_secs(6);
    ours.speak(&[tone(300.0, half, RATE), tone(900.0, half, RATE)].concat());
    eva.wait_label("Recording, 0:12");
    eva.harness.key_press(Key::Enter);
    eva.wait(|harness| harness.query_by_label("Play")).click();
    assert!(!ours.is_recording());
    assert_hums(&hear(&mut eva, &ours, 1000), 300.0);
    eva.click("Send");
    eva.wait_label("Play Voice message");
    assert!(!ours.is_playing());
    eva.wait(|harness| {
        harness
            .query_all_by_label_contains("You: ")
            .find(|node| label(node).ends_with("Sent") && !label(node).contains("Hello"))
    });

    let mut other = Real::open_with(&profile, options(&net), theirs.clone());
    other.click("Eva");
    other.click("Download Voice message");
    other.click("Yes");
    other.wait(|harness| harness.query_by_role_and_label(Role::Slider, "Position"));
    other.click("Play Voice message");
    assert_hums(&hear(&mut other, &theirs, 1000), 300.0);
    // A message that arrives and another conversation leave it alone.
    eva.write("Did you hear me?");
    other.wait_label("Eva: Did you hear me?, ");
    other.find(&own);
    other.wait_label("Playing from Eva");
    assert_hums(&hear(&mut other, &theirs, 1000), 300.0);
    other.click("Playing from Eva");
    other.wait(|harness| harness.query_by_role_and_label(Role::Slider, "Position")).focus();
    other.harness.run_steps(2);
    other.harness.key_press(Key::ArrowRight);
    other.harness.run_steps(2);
    other.click("Speed 1×");
    // Two seconds were heard and five left out: of the twelve, five are left at most.
    other.until(|| {
        theirs.listen(Duration::from_millis(100)).is_none_or(|part| frequency(&part, RATE) > 700.0)
    });
    let mut heard = 0;
    while let Some(part) = theirs.listen(Duration::from_millis(100)) {
        heard += part.iter().filter(|sample| **sample != 0.0).count();
        other.harness.step();
    }
    let seconds = heard as f32 / RATE as f32;
    assert!((2.5..5.2).contains(&seconds), "{seconds} s were heard");
    other.wait_label("Play Voice message");
    eva.close();
    other.close();
    runtime.block_on(net.shutdown());
}
