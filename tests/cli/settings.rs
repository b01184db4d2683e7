//! What is told to others and shown of them, switched from a command line.

use serde_json::json;

use crate::harness::Network;

#[test]
fn settings_are_off_to_begin_with_and_stay_as_they_are_set() {
    let network = Network::here();
    let alice = network.person("Alice");
    assert_eq!(alice.ok(&["settings"]), json!({"read_receipts": false, "typing_indicators": false}));
    let on = json!({"read_receipts": false, "typing_indicators": true});
    assert_eq!(alice.ok(&["settings", "--typing-indicators", "on"]), on);
    assert_eq!(alice.ok(&["settings"]), on, "also of the next run");
    let other = json!({"read_receipts": true, "typing_indicators": false});
    assert_eq!(alice.ok(&["settings", "--typing-indicators", "off", "--read-receipts", "on"]), other);
    let wrong = alice.run(&["settings", "--read-receipts", "maybe"]);
    assert_eq!((wrong.code, wrong.error()), (Some(2), "usage"));
}
