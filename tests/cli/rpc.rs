//! `septet rpc`: every command as a method, events as notifications, and a bot that is killed again and again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use septet_protocol::message::{Content, Visible};
use serde_json::{Map, Value, json};

use crate::conversation::contacts;
use crate::events::says_at;
use crate::harness::{Network, OTHER_BREAKS, Person, program};
use crate::promises::{strangers_apart, swarm_answers};

/// What takes so long does not come.
const PATIENCE: Duration = Duration::from_secs(300);

/// A child `septet rpc`.
struct Rpc {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What was read and not asked for yet.
    seen: Vec<Value>,
}

impl Rpc {
    fn of(person: &Person) -> Self {
        let mut process = person.command(&["rpc"]).stdin(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { input: process.stdin.take(), process, lines, seen: Vec::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).and_then(|()| input.flush()).unwrap();
    }

    fn ask(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(format!("{line}\n").as_bytes());
    }

    /// The next line that is wanted; what comes before it is kept.
    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.seen.iter().position(&wanted) {
            return self.seen.remove(at);
        }
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("{what} does not come after {:#?}", self.seen));
            assert!(!line.contains(OTHER_BREAKS), "{line:?}");
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            if wanted(&value) {
                return value;
            }
            self.seen.push(value);
        }
    }

    fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        self.until(&format!("the answer to {id}"), |line| line.get("id") == Some(&id))
    }

    /// Does something that must succeed.
    fn ok(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, method, params);
        let answer = self.answer(method);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Number and word of what must fail.
    fn fails(&mut self, method: &str, params: Value) -> (i64, String) {
        self.ask(method, method, params);
        let answer = self.answer(method);
        let error = &answer["error"];
        assert!(!error["message"].as_str().unwrap_or("").is_empty(), "{answer}");
        (error["code"].as_i64().unwrap(), error["data"]["code"].as_str().unwrap().to_owned())
    }

    fn event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until(what, |line| line["method"] == "event" && wanted(&line["params"]))["params"].clone()
    }

    /// The next message that is told.
    fn message(&mut self) -> Value {
        self.event("a message", |event| event["event"] == "message")
    }

    /// Ends its input; the exit code.
    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.process.wait().unwrap().code()
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Rpc {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_method_answers_what_its_command_prints() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let eve = network.person("Eve");
    eve.send(&alice.id, "hi");
    alice.receive();
    let printed = [
        ("account_show", json!({}), alice.ok(&["account", "show"])),
        ("account_phrase", json!({}), alice.ok(&["account", "phrase"])),
        ("conversations", json!({}), alice.ok(&["conversations"])),
        ("contacts", json!({}), alice.ok(&["contacts"])),
        ("requests", json!({}), alice.ok(&["requests"])),
        (
            "messages",
            json!({"conversation": bob.id, "limit": 1}),
            alice.ok(&["messages", &bob.id, "--limit", "1"]),
        ),
    ];
    let mut rpc = Rpc::of(&alice);
    for (method, params, printed) in printed {
        assert_eq!(rpc.ok(method, params), printed, "{method}");
    }
    let sent = rpc.ok("send", json!({"to": bob.id, "text": "from a program"}));
    assert_eq!((&sent["state"], sent["hash"].as_str().map(str::len)), (&json!("sent"), Some(43)));
    let done = json!({"ok": true});
    for (method, params) in [
        ("react", json!({"conversation": bob.id, "id": sent["message_id"], "emoji": "👍"})),
        ("accept", json!({"conversation": eve.id})),
        ("pin", json!({"conversation": bob.id})),
        ("mute", json!({"conversation": bob.id, "for": "8h"})),
        ("nickname", json!({"conversation": bob.id, "name": "Bobby"})),
        ("set_expiry", json!({"conversation": bob.id, "when": "after-send:86400"})),
        ("mark_read", json!({"conversation": bob.id, "timeout": 60})),
        ("account_set", json!({"name": "Alice A"})),
        ("receive", json!({})),
        ("delete", json!({"conversation": bob.id, "id": sent["message_id"], "for_everyone": true})),
    ] {
        assert_eq!(rpc.ok(method, params), done, "{method}");
    }
    assert!(rpc.ok("path", json!({}))["paths"][0][0]["ip"].is_string());
    assert_eq!(rpc.end(), Some(0));
    let row = alice.ok(&["conversations"])[0].clone();
    let expiry = json!({"mode": "after_send", "seconds": 86400});
    assert_eq!([&row["name"], &row["expiry"]], [&json!("Bobby"), &expiry]);
    assert_eq!([&row["pinned"], &row["muted"]], [&json!(true), &json!(true)]);
    assert_eq!(alice.ok(&["account", "show"])["name"], "Alice A");
    assert_eq!(alice.ok(&["requests"]), json!([]));
    bob.receive();
    assert!(!bob.texts(&alice.id).contains(&"from a program".to_owned()));
}

#[test]
fn an_account_is_made_and_restored_by_requests() {
    let network = Network::start();
    let nobody = network.nobody("bot");
    let mut rpc = Rpc::of(&nobody);
    assert_eq!(rpc.fails("contacts", json!({})), (-32001, "no_account".into()));
    let made = rpc.ok("account_create", json!({"name": "Bot"}));
    assert_eq!(made["published"], true);
    assert_eq!(rpc.fails("account_create", json!({"name": "Bot"})), (-32001, "account_exists".into()));
    assert_eq!(rpc.ok("account_show", json!({}))["account_id"], made["account_id"]);
    let mut other = Rpc::of(&network.nobody("laptop"));
    assert_eq!(other.fails("account_restore", json!({})), (-32602, "usage".into()));
    let restored = other.ok("account_restore", json!({"recovery": made["recovery_phrase"]}));
    assert_eq!((&restored["name"], &restored["account_id"]), (&json!("Bot"), &made["account_id"]));
}

#[test]
fn whatever_is_sent_is_answered_and_the_next_line_is_read() {
    let network = Network::start();
    let alice = network.person("Alice");
    let mut rpc = Rpc::of(&alice);
    let mut wrong = |line: &[u8]| {
        rpc.write(&[line, b"\n"].concat());
        let answer = rpc.answer(Value::Null);
        (
            answer["error"]["code"].as_i64().unwrap(),
            answer["error"]["data"]["code"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(wrong(b"garbage"), (-32700, "parse_error".into()));
    assert_eq!(wrong(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}"), (-32700, "parse_error".into()));
    assert_eq!(wrong(&[b'['; 1_000_000]), (-32700, "parse_error".into()));
    assert_eq!(wrong(&vec![b'x'; 20_000_000]), (-32600, "too_long".into()));
    assert_eq!(wrong(b"[]"), (-32600, "invalid_request".into()));
    assert_eq!(rpc.fails("unheard_of", json!({})), (-32601, "method_not_found".into()));
    assert_eq!(rpc.fails("devnet", json!({})), (-32601, "method_not_found".into()));
    for (method, params) in [
        ("send", json!({})),
        ("send", json!({"to": 1})),
        ("send", json!({"to": "self", "colour": "red"})),
        ("send", json!({"to": "self", "text_file": "-"})),
        ("send", json!({"to": "self", "text": "x", "idempotency_key": ""})),
        ("send", json!({"to": "self", "text": "x", "timeout": "soon"})),
        ("messages", json!({"conversation": "self", "limit": 0})),
        ("set_expiry", json!({"conversation": "self", "when": "later"})),
        ("subscribe", json!({"durable": "x", "window": 0})),
    ] {
        assert_eq!(rpc.fails(method, params.clone()), (-32602, "usage".into()), "{method} {params}");
    }
    // The words are those of the command line.
    let unknown = json!({"conversation": format!("05{}", "ab".repeat(32))});
    assert_eq!(rpc.fails("pin", unknown), (-32001, "unknown_conversation".into()));
    assert_eq!(rpc.fails("unsubscribe", json!({"subscription": 7})).1, "no_such_subscription");
    assert_eq!(rpc.fails("ack", json!({"durable": "nobody", "message_id": 1})).1, "no_such_reader");
    // A batch is answered together; what has no id, and blank lines, are not answered at all.
    rpc.write(b"\n  \r\n");
    rpc.write(
        br#"[{"jsonrpc":"2.0","id":1,"method":"account_show"},{"jsonrpc":"2.0","method":"pin"},3,{"jsonrpc":"2.0","id":2,"method":"no"}]"#,
    );
    rpc.write(b"\n{\"jsonrpc\":\"2.0\",\"method\":\"unheard_of\"}\n");
    let batch = rpc.until("the batch", Value::is_array);
    let mut ids: Vec<String> = batch.as_array().unwrap().iter().map(|it| it["id"].to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["1", "2", "null"]);
    assert_eq!(rpc.ok("account_show", json!({}))["name"], "Alice");
    assert_eq!(rpc.seen, [] as [Value; 0], "nothing else was said");
    assert_eq!(rpc.end(), Some(0));
}

#[test]
fn what_takes_long_keeps_nothing_else_and_can_be_cancelled() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    network.devnet().network_down(true);
    let mut rpc = Rpc::of(&alice);
    rpc.ask("slow", "send", json!({"to": bob.id, "text": "in its own time", "timeout": 3600}));
    rpc.ask("brief", "send", json!({"to": bob.id, "text": "no patience", "timeout": 0}));
    assert_eq!(rpc.answer("brief")["error"]["code"], -32004);
    // As many as run at a time: cancelling is not stuck behind them.
    for number in 0..63 {
        rpc.ask(number, "send", json!({"to": bob.id, "text": format!("waits {number}"), "timeout": 3600}));
    }
    rpc.ask("stop", "$/cancel", json!({"id": "slow"}));
    let answer = rpc.answer("slow");
    let error = &answer["error"];
    assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32800), &json!("cancelled")));
    assert_eq!(rpc.answer("stop")["result"], json!({"ok": true}));
    network.devnet().network_down(false);
    for number in 0..63 {
        assert_eq!(rpc.answer(number)["result"]["state"], "sent");
    }
    assert_eq!(rpc.end(), Some(0));
    bob.receive();
    // What was written down is sent once, whether anybody waits for it or not.
    let texts = bob.texts(&alice.id);
    for text in ["in its own time", "no patience", "waits 0", "waits 62"] {
        assert_eq!(texts.iter().filter(|it| *it == text).count(), 1, "{text}: {texts:?}");
    }
}

#[test]
fn each_request_hears_of_what_it_did_itself() {
    let network = Network::here();
    let (alice, eve) = strangers_apart(&network);
    alice.send(&eve.id, "hi");
    let mut rpc = Rpc::of(&alice);
    let number = rpc.ok("messages", json!({"conversation": eve.id}))[0]["message_id"].clone();
    // What cannot go out keeps nobody who changes something else.
    swarm_answers(&network, &eve, 500);
    rpc.ask("stuck", "send", json!({"to": eve.id, "text": "waits", "timeout": 3600}));
    assert_eq!(rpc.ok("pin", json!({"conversation": eve.id})), json!({"ok": true}));
    let late = json!({"conversation": eve.id, "id": number, "emoji": "👍", "timeout": 1});
    assert_eq!(rpc.fails("react", late), (-32004, "offline".into()));
    swarm_answers(&network, &eve, 403);
    rpc.ask("refused", "react", json!({"conversation": eve.id, "id": number, "emoji": "🎉"}));
    assert_eq!(rpc.answer("stuck")["error"]["data"]["code"], "not_sent");
    let refused = rpc.answer("refused");
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["data"]["code"]),
        (&json!(-32001), &json!("not_delivered"))
    );
    assert_eq!(rpc.ok("mark_read", json!({"conversation": eve.id})), json!({"ok": true}));
    assert_eq!(rpc.end(), Some(0));
}

#[test]
fn it_ends_well_however_it_is_ended() {
    let network = Network::start();
    let alice = network.person("Alice");
    // The end of its input: what was asked is answered first.
    let mut rpc = Rpc::of(&alice);
    for number in 0..20 {
        rpc.ask(number, "send", json!({"to": "self", "text": format!("note {number}")}));
    }
    drop(rpc.input.take());
    for number in 0..20 {
        assert_eq!(rpc.answer(number)["result"]["state"], "sent");
    }
    assert_eq!(rpc.process.wait().unwrap().code(), Some(0));
    // A signal, while something is read and something is told.
    let mut rpc = Rpc::of(&alice);
    rpc.ok("subscribe", json!({}));
    let pid = rpc.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(rpc.process.wait().unwrap().code(), Some(0));
    // Nobody reads any more.
    let mut process = alice.command(&["rpc"]).stdin(Stdio::piped()).spawn().unwrap();
    drop(process.stdout.take());
    let mut input = process.stdin.take().unwrap();
    input.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"account_show\"}\n").unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    drop(input);
    // Those to one are in the order in which they were asked for.
    assert_eq!(alice.texts("self"), (0..20).map(|number| format!("note {number}")).collect::<Vec<_>>());
    // Another program has the profile.
    let _first = Rpc::of(&alice).ok("account_show", json!({}));
    let mut first = Rpc::of(&alice);
    first.ok("account_show", json!({}));
    let second = alice.run_with_input(&["rpc"], "");
    assert_eq!((second.code, second.error()), (Some(1), "in_use"));
}

#[test]
fn events_go_to_who_wants_them() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    let eve = network.person("Eve");
    let mut rpc = Rpc::of(&bob);
    let all = rpc.ok("subscribe", json!({}))["subscription"].clone();
    let of_eve =
        rpc.ok("subscribe", json!({"conversation": eve.id, "kinds": ["message"]}))["subscription"].clone();
    alice.send(&bob.id, "from Alice");
    eve.send(&bob.id, "from Eve");
    let is = |number: &Value, text: &str| {
        let (number, text) = (number.clone(), text.to_owned());
        move |event: &Value| event["subscription"] == number && event["text"] == text.as_str()
    };
    rpc.event("Alice's", is(&all, "from Alice"));
    rpc.event("Eve's", is(&all, "from Eve"));
    rpc.event("Eve's, once more", is(&of_eve, "from Eve"));
    rpc.event("the request", |event| event["event"] == "request" && event["subscription"] == all);
    rpc.ok("unsubscribe", json!({"subscription": all}));
    eve.send(&bob.id, "again");
    rpc.event("Eve's", is(&of_eve, "again"));
    assert!(rpc.seen.iter().all(|line| line["params"]["subscription"] == all), "{:?}", rpc.seen);
    assert!(!rpc.seen.iter().any(|line| line["params"]["text"] == "again"), "{:?}", rpc.seen);
}

#[test]
fn a_reader_that_stops_reading_misses_nothing() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    let mut process = bob.command(&["rpc"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    let subscribe =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"kinds\":[\"message\"]}}\n";
    input.write_all(subscribe.as_bytes()).unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("\"subscription\":1"), "{line}");
    // More than the pipe and what may wait for it hold.
    let count = 1500;
    // Not at a moment at which Alice has said something else: that would be taken for the same message.
    let begin = network.devnet().now() - 100_000;
    let filling = "\u{85}".repeat(1900);
    for number in 0..count {
        let body = format!("{number} {filling}");
        let visible = Visible { body, attachments: Vec::new(), quote: None, preview: None };
        // Those of one moment would be one message.
        says_at(&network, &alice, &bob, Content::Visible(visible), begin + number);
    }
    // All of it is stored while nobody reads.
    input
        .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"receive\",\"params\":{\"timeout\":300}}\n")
        .unwrap();
    let mut told = Vec::new();
    for _ in 0..count {
        line.clear();
        stdout.read_line(&mut line).unwrap();
        let mut event: Value = serde_json::from_str(&line).unwrap();
        while event["id"] == 2 {
            assert_eq!(event["result"]["ok"], true, "{event}");
            line.clear();
            stdout.read_line(&mut line).unwrap();
            event = serde_json::from_str(&line).unwrap();
        }
        let text = event["params"]["text"].as_str().unwrap_or_else(|| panic!("{event}"));
        told.push(text.split(' ').next().unwrap().parse::<u64>().unwrap());
    }
    assert_eq!(told, (0..count).collect::<Vec<_>>());
    drop(input);
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_not_acknowledged_is_told_again() {
    let network = Network::start();
    let (alice, bob) = contacts(&network);
    for number in 0..5 {
        alice.send(&bob.id, &number.to_string());
    }
    bob.receive();
    let subscribe = json!({"durable": "bot", "after": 0, "window": 3, "kinds": ["message"]});
    let told = |rpc: &mut Rpc, count: usize| -> Vec<Value> { (0..count).map(|_| rpc.message()).collect() };
    let texts = |told: &[Value]| -> Vec<String> {
        told.iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect()
    };
    let mut rpc = Rpc::of(&bob);
    let subscription = rpc.ok("subscribe", subscribe.clone())["subscription"].clone();
    assert_eq!(rpc.fails("subscribe", subscribe.clone()).1, "in_use");
    assert_eq!(texts(&told(&mut rpc, 3)), ["Hello Bob", "0", "1"]);
    rpc.ok("unsubscribe", json!({"subscription": subscription}));
    rpc.ok("subscribe", subscribe);
    let first = told(&mut rpc, 3);
    assert_eq!(texts(&first), ["Hello Bob", "0", "1"]);
    // The window is closed: what another request makes is told before the next message.
    rpc.ok("receive", json!({}));
    assert!(!rpc.seen.iter().any(|line| line["method"] == "event"), "{:?}", rpc.seen);
    // The second only: its place in the window is free, and the first is not done.
    rpc.ok("ack", json!({"durable": "bot", "message_id": first[1]["message_id"]}));
    assert_eq!(texts(&told(&mut rpc, 1)), ["2"]);
    rpc.kill();

    let mut rpc = Rpc::of(&bob);
    rpc.ok("subscribe", json!({"durable": "bot", "kinds": ["message"]}));
    let again = told(&mut rpc, 5);
    assert_eq!(texts(&again), ["Hello Bob", "1", "2", "3", "4"]);
    for message in &again {
        rpc.ok("ack", json!({"durable": "bot", "message_id": message["message_id"]}));
    }
    alice.send(&bob.id, "live");
    assert_eq!(texts(&told(&mut rpc, 1)), ["live"]);
    assert_eq!(rpc.end(), Some(0));
    // The command line has the same names, and acknowledges what it has printed.
    let lines = |arguments: &[&str]| {
        let ended = bob.run(&[&["receive", "--durable", "bot"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let messages = ended.lines.iter().filter(|line| line["event"] == "message");
        messages.map(|line| line["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]), ["live"]);
    assert_eq!(lines(&[]), [""; 0]);
    let mut rpc = Rpc::of(&bob);
    rpc.ok("subscribe", json!({"after": again[3]["message_id"]}));
    assert_eq!(texts(&told(&mut rpc, 2)), ["4", "live"]);
}

#[test]
fn what_has_a_key_is_sent_once() {
    let network = Network::here();
    let (alice, bob) = contacts(&network);
    let mut rpc = Rpc::of(&alice);
    let send = json!({"to": bob.id, "text": "once", "idempotency_key": "order 7"});
    for number in 0..10 {
        rpc.ask(number, "send", send.clone());
    }
    let answers: Vec<Value> = (0..10).map(|number| rpc.answer(number)["result"].clone()).collect();
    assert!(answers.iter().all(|it| it["message_id"] == answers[0]["message_id"] && it["state"] == "sent"));
    assert_eq!(answers.iter().filter(|it| it["repeated"] != true).count(), 1);
    // Cut off in the middle: nobody knows what became of it.
    network.devnet().network_down(true);
    let cut = json!({"to": bob.id, "text": "cut off", "idempotency_key": "order 8", "timeout": 3600});
    rpc.ask("cut", "send", cut.clone());
    // It is asked after, so it was begun; whether it was written down is left open.
    rpc.ok("account_show", json!({}));
    rpc.kill();
    network.devnet().network_down(false);
    let mut rpc = Rpc::of(&alice);
    let sent = rpc.ok("send", cut);
    assert_eq!(sent["state"], "sent");
    assert_eq!(rpc.ok("send", send)["repeated"], true);
    // It is gone by now: that it was sent is all there is to say.
    rpc.ok("delete_conversation", json!({"conversation": bob.id}));
    let gone = rpc.ok("send", json!({"to": bob.id, "text": "other", "idempotency_key": "order 8"}));
    assert_eq!((&gone["message_id"], &gone["repeated"]), (&sent["message_id"], &json!(true)));
    assert_eq!(rpc.end(), Some(0));
    let once = alice.ok(&["send", &bob.id, "--text", "x", "--idempotency-key", "order 7"]);
    assert_eq!(once["repeated"], true);
    bob.receive();
    let texts = bob.texts(&alice.id);
    let once = |text: &str| texts.iter().filter(|it| *it == text).count();
    assert_eq!([once("once"), once("cut off"), once("other")], [1, 1, 0], "{texts:?}");
}

/// How many messages the bot answers, and how often it is killed.
fn bot_messages() -> (usize, usize, usize) {
    match std::env::var("SEPTET_BOT_MESSAGES").ok().and_then(|text| text.parse().ok()) {
        Some(messages) => (messages, 10, 6),
        None => (30, 3, 2),
    }
}

/// `examples/bot.py` and its septet, in a group of processes of their own.
struct Bot {
    person: Person,
    process: Child,
}

impl Bot {
    fn start(person: &Person) -> Self {
        Self { person: person.clone(), process: Self::launch(person) }
    }

    fn launch(person: &Person) -> Child {
        use std::os::unix::process::CommandExt;
        let septet = person.command(&[]);
        let mut bot = Command::new("python3");
        bot.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bot.py"));
        bot.arg(septet.get_program()).args(septet.get_args());
        bot.stdin(Stdio::null()).process_group(0);
        bot.spawn().expect("python3 runs the bot")
    }

    /// `kill -9`: both, or only the bot, whose septet then ends by itself.
    fn kill(&mut self, both: bool) {
        let pid = self.process.id();
        let whom = if both { format!("-{pid}") } else { pid.to_string() };
        assert!(Command::new("kill").args(["-KILL", "--", &whom]).status().unwrap().success());
        self.process.wait().unwrap();
    }

    /// Starts it again if it does not run: a septet that was just left still had the profile.
    fn keep_running(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.process = Self::launch(&self.person);
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        // It may have ended.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

/// Sends texts to the bot through one `septet rpc`, and counts what comes back until every text has an answer.
fn talk(person: &Person, bot: &str, count: usize, answered: &Sender<()>) {
    let mut rpc = Rpc::of(person);
    rpc.ok("subscribe", json!({"kinds": ["message"]}));
    for number in 0..count {
        rpc.ask(number, "send", json!({"to": bot, "text": format!("text {number}"), "timeout": 300}));
    }
    for number in 0..count {
        assert_eq!(rpc.answer(number)["result"]["state"], "sent");
    }
    for _ in 0..count {
        rpc.message();
        answered.send(()).unwrap();
    }
    assert_eq!(rpc.end(), Some(0));
}

/// Sends what is left, once whoever was killed has given the profile free.
fn settle(person: &Person) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = person.run(&["receive", "--timeout", "300"]);
        if ended.error() != "in_use" {
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            return;
        }
        assert!(Instant::now() < deadline, "the profile stays in use");
    }
}

#[test]
fn a_bot_that_is_killed_answers_each_message_once() {
    let (messages, senders, kills) = bot_messages();
    let each = messages / senders;
    let network = Network::start();
    let bot = network.person("Bot");
    let people: Vec<Person> =
        (0..senders).map(|number| network.person(&format!("Sender {number}"))).collect();
    let (tell, answered) = channel();
    let mut running = Bot::start(&bot);
    let talks: Vec<_> = people
        .iter()
        .map(|person| {
            let (person, bot, tell) = (person.clone(), bot.id.clone(), tell.clone());
            std::thread::spawn(move || talk(&person, &bot, each, &tell))
        })
        .collect();
    drop(tell);
    let mut count = 0;
    let mut kill = 1;
    loop {
        match answered.recv_timeout(Duration::from_millis(200)) {
            Ok(()) => count += 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if kill <= kills && count >= messages * kill / (kills + 1) {
            running.kill(kill % 3 != 0);
            kill += 1;
        }
        running.keep_running();
    }
    assert_eq!(kill, kills + 1);
    talks.into_iter().for_each(|talk| talk.join().unwrap());
    running.kill(true);
    // Whatever it had still begun goes out; then each text has one answer.
    settle(&bot);
    for person in &people {
        person.receive();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for message in person.messages(&bot.id).iter().filter(|message| message["state"] == "received") {
            if message["notice"].is_null() {
                *counts.entry(message["text"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        let expected: BTreeMap<_, _> = (0..each).map(|n| (format!("You wrote: text {n}"), 1)).collect();
        assert_eq!(counts, expected);
    }
}

#[test]
fn what_is_documented_is_what_there_is() {
    for (form, file, text) in [
        ("openrpc", "docs/openrpc.json", include_str!("../../docs/openrpc.json")),
        ("page", "docs/rpc.md", include_str!("../../docs/rpc.md")),
    ] {
        let output = program().args(["rpc", "--schema", form]).output().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.trim_end(), text.trim_end(), "make it anew: septet rpc --schema {form} > {file}");
    }
}

/// Keys of an object's schema, and which of them are always there.
fn keys(schema: &Value) -> (Vec<String>, Vec<String>) {
    let properties: Vec<String> =
        schema["properties"].as_object().unwrap_or(&Map::new()).keys().cloned().collect();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut required: Vec<String> = required.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    required.sort();
    (properties, required)
}

#[test]
fn events_are_described_alike_everywhere() {
    let events: Value = serde_json::from_str(include_str!("../../docs/events.schema.json")).unwrap();
    let document: Value = serde_json::from_str(include_str!("../../docs/openrpc.json")).unwrap();
    let shapes = &document["components"]["schemas"];
    let resolve = |schema: &Value| -> Value {
        match schema["$ref"].as_str() {
            Some(path) => shapes[path.rsplit('/').next().unwrap()].clone(),
            None => schema.clone(),
        }
    };
    let told = resolve(&document["x-notifications"][0]["params"]);
    let mut kinds = Vec::new();
    for variant in told["oneOf"].as_array().unwrap() {
        let kind = variant["properties"]["event"]["const"].as_str().unwrap();
        kinds.push(kind.to_owned());
        let (mut properties, mut required) = keys(variant);
        let (more, always) = keys(&resolve(variant));
        properties.extend(more.into_iter().filter(|key| !properties.contains(key)).collect::<Vec<_>>());
        required.extend(always.into_iter().filter(|key| !required.contains(key)).collect::<Vec<_>>());
        properties.sort();
        required.sort();
        assert_eq!((properties, required), keys(&events["$defs"][kind]), "{kind}");
    }
    let described = events["oneOf"].as_array().unwrap();
    let described: Vec<&str> =
        described.iter().map(|it| it["$ref"].as_str().unwrap().trim_start_matches("#/$defs/")).collect();
    kinds.push("error".to_owned());
    assert_eq!(
        kinds.iter().collect::<std::collections::BTreeSet<_>>(),
        described.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().iter().collect()
    );
    assert_eq!(keys(&shapes["AttachmentRow"]), keys(&events["$defs"]["attachment"]));
    let states = |schema: &Value| -> Vec<String> {
        let listed = schema["enum"].as_array().cloned().unwrap_or_default();
        let single = schema["oneOf"].as_array().into_iter().flatten().map(|it| it["const"].clone());
        let mut all: Vec<_> =
            listed.into_iter().chain(single).filter_map(|it| it.as_str().map(str::to_owned)).collect();
        all.sort();
        all
    };
    let files = states(&shapes["FileState"]);
    assert_eq!(files, states(&events["$defs"]["attachment"]["properties"]["state"]));
    assert_eq!(files.len(), 8);
}
