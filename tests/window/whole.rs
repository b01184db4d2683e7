//! The whole program: the window, the account behind it, and a local network with somebody on it.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use septet_client::client::Client;
use septet_client::model::{Draft, OutgoingFile, Page};
use septet_devnet::Devnet;
use septet_protocol::account::DisplayName;

use super::real::{PATIENCE, Real, label, options, request};

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = image::DynamicImage::new_rgb8(320, 200);
    image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

#[test]
fn two_people_talk_through_the_window() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let friend = runtime.block_on(async {
        let name = DisplayName::parse("Mara").unwrap();
        let friend = Client::create(&folder.path().join("friend"), &name, options(&net)).await.unwrap();
        friend.start();
        friend
    });
    let profile = folder.path().join("own");
    let mut real = Real::open(&profile, options(&net));

    real.first_run("Eva");
    real.find(&friend.id().to_string());
    real.write("Hello Mara");
    real.wait_label("You: Hello Mara, ");
    real.wait(|harness| {
        harness.query_all_by_label_contains("You: Hello Mara").find(|node| label(node).ends_with("Sent"))
    });

    // She answers with a picture, which is fetched and shown once her files are let in.
    runtime.block_on(async {
        let from = tokio::time::timeout(PATIENCE, request(&friend)).await.unwrap();
        friend.accept(from).await.unwrap();
        let file = OutgoingFile::Bytes {
            name: "lake.png".into(),
            content_type: "image/png".into(),
            bytes: picture(),
        };
        friend
            .send(from, Draft { text: "Look".into(), files: vec![file], ..Draft::default() })
            .await
            .unwrap();
        let page = friend.messages(from, Page::Newest, 10).await.unwrap();
        assert!(page.messages.iter().any(|message| message.text == "Hello Mara"));
    });
    real.wait_label("Mara: Look, ");
    real.click("Download lake.png");
    real.click("Yes");
    real.wait(|harness| harness.query_by_role_and_label(Role::Button, "lake.png")).click();
    real.harness.run_steps(3);
    real.wait_label("Save as…");
    real.harness.key_press(Key::Escape);
    real.harness.run_steps(2);

    // Closed and opened again, all is there.
    real.close();
    let mut real = Real::open(&profile, options(&net));
    real.click("Mara");
    real.wait_label("Mara: Look, ");
    real.wait_label("You: Hello Mara, ");
    real.close();
    runtime.block_on(async {
        friend.stop().await;
        net.shutdown().await;
    });
}
