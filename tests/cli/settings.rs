//! What is told to others and shown of them, switched from a command line.

use serde_json::json;

use crate::harness::Network;

#[test]
fn settings_are_off_to_begin_with_and_stay_as_they_are_set() {
    let all = |receipts: bool, typing: bool| json!({"read_receipts": receipts, "typing_indicators": typing, "link_previews": false});
    let network = Network::here();
    let alice = network.person("Alice");
    assert_eq!(alice.ok(&["settings"]), all(false, false));
    let on = all(false, true);
    assert_eq!(alice.ok(&["settings", "--typing-indicators", "on"]), on);
    assert_eq!(alice.ok(&["settings"]), on, "also of the next run");
    let other = all(true, false);
    assert_eq!(alice.ok(&["settings", "--typing-indicators", "off", "--read-receipts", "on"]), other);
    assert_eq!(alice.ok(&["settings", "--link-previews", "on"])["link_previews"], true);
    let wrong = alice.run(&["settings", "--read-receipts", "maybe"]);
    assert_eq!((wrong.code, wrong.error()), (Some(2), "usage"));
}
