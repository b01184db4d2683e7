//! A link is previewed when the person who sends it says so, and only then.

use septet_devnet::Website;
use tokio::runtime::Runtime;

use crate::conversation::contacts;
use crate::harness::Network;

#[test]
fn a_link_is_sent_with_its_title_if_that_is_asked_for() {
    let network = Network::here();
    let runtime = Runtime::new().unwrap();
    let site = runtime.block_on(Website::start()).unwrap();
    site.put_html("/page", "<title>A page &amp; more</title>");
    site.put_html("/untitled", "nothing");
    std::fs::write(network.folder().join("website.pem"), Website::certificate()).unwrap();
    let file = std::fs::read_to_string(network.file()).unwrap();
    std::fs::write(network.file(), format!("web_certificates = [\"website.pem\"]\n{file}")).unwrap();
    let (alice, bob) = contacts(&network);

    let text = format!("see {}", site.url("/page"));
    alice.ok(&["send", &bob.id, "--text", &text]);
    assert_eq!(site.asked(), Vec::<String>::new());
    alice.ok(&["send", &bob.id, "--text", &text, "--preview"]);
    assert_eq!(site.asked().len(), 1);

    let refused = alice.run(&["send", &bob.id, "--text", &site.url("/untitled"), "--preview"]);
    assert_eq!((refused.code, refused.error()), (Some(1), "no_preview"), "{}", refused.stderr);
    assert!(refused.sentence().contains("Nothing was sent"), "{}", refused.sentence());
    let refused = alice.run(&["send", &bob.id, "--text", "no link", "--preview"]);
    assert_eq!(refused.error(), "no_preview", "{}", refused.stderr);

    let heard = bob.run(&["receive"]);
    let previews: Vec<_> = heard
        .lines
        .iter()
        .filter(|event| event["event"] == "message" && event["text"] == text.as_str())
        .map(|event| event["preview"].clone())
        .collect();
    let url = site.url("/page");
    let expected = serde_json::json!({ "url": url, "title": "A page & more", "has_image": false });
    assert_eq!(previews, [serde_json::Value::Null, expected.clone()]);
    assert_eq!(site.asked().len(), 2, "who receives asks nothing");

    let shown = alice.ok(&["messages", &bob.id]);
    let last = shown.as_array().unwrap().last().unwrap();
    assert_eq!((&last["text"], &last["preview"]), (&text.as_str().into(), &expected));
}
