//! A local network in a process, and people whose every action is another process.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use septet_devnet::Devnet;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Everything that some reader takes for the end of a line, the one that we write left out.
pub const OTHER_BREAKS: &[char] =
    &['\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// The program under test.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_septet"))
}

/// A local network; ended when dropped.
pub struct Network {
    runs: Runs,
    folder: tempfile::TempDir,
    clock_offset: i32,
}

/// Where a network runs.
enum Runs {
    /// `septet devnet` in its own process.
    Apart(Child),
    /// Within the test, which has faults to switch on.
    Here { devnet: Box<Devnet>, _runtime: Box<Runtime> },
}

impl Network {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { runs: Self::launch(folder.path(), &[]), folder, clock_offset: 0 }
    }

    /// A network within the test; see [`Network::devnet`].
    pub fn here() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let devnet = runtime.block_on(Devnet::start()).unwrap();
        devnet.write_network_file(&folder.path().join("local.toml")).unwrap();
        Self {
            runs: Runs::Here { devnet: Box::new(devnet), _runtime: Box::new(runtime) },
            folder,
            clock_offset: 0,
        }
    }

    /// A network within the test, to be tampered with.
    pub fn devnet(&self) -> &Devnet {
        match &self.runs {
            Runs::Here { devnet, .. } => devnet,
            Runs::Apart(_) => panic!("this network runs in a process of its own"),
        }
    }

    /// A network whose clock is so many seconds ahead of the machine's, and which can be started again.
    pub fn with_clock_offset(seconds: i32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { runs: Self::launch_lasting(folder.path(), seconds), folder, clock_offset: seconds }
    }

    /// Starts it again after [`Network::stop`], as it was.
    pub fn start_again(&mut self) {
        self.runs = Self::launch_lasting(self.folder.path(), self.clock_offset);
    }

    fn launch_lasting(folder: &Path, clock_offset: i32) -> Runs {
        let state = folder.join("state");
        let options = ["--clock-offset", &clock_offset.to_string(), "--state", state.to_str().unwrap()];
        Self::launch(folder, &options)
    }

    fn launch(folder: &Path, options: &[&str]) -> Runs {
        let mut process = program()
            .args(["--json", "devnet"])
            .args(options)
            .arg("--write-network")
            .arg(folder.join("local.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first line says that it runs.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        assert!(started["seed"].as_str().unwrap().starts_with("http://127."), "{line}");
        Runs::Apart(process)
    }

    /// By how many ms a time of the network differs from what it is there now.
    pub fn since(&self, time: &Value) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        i64::try_from(now).unwrap() + i64::from(self.clock_offset) * 1000 - time.as_i64().unwrap()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Somebody with a fresh account.
    pub fn person(&self, name: &str) -> Person {
        let mut person = self.nobody(name);
        let created = person.ok(&["account", "create", "--name", name]);
        person.id = created["account_id"].as_str().unwrap().to_string();
        person.phrase = created["recovery_phrase"].as_str().unwrap().to_string();
        person
    }

    /// A profile folder without an account.
    pub fn nobody(&self, folder: &str) -> Person {
        Person {
            network: self.file(),
            profile: self.folder().join(folder),
            id: String::new(),
            phrase: String::new(),
        }
    }
}

impl Network {
    /// Ends the network; the folder stays.
    pub fn stop(&mut self) {
        match &mut self.runs {
            Runs::Apart(process) => {
                // It may have ended by itself.
                let _ = process.kill();
                let _ = process.wait();
            }
            Runs::Here { devnet, .. } => devnet.network_down(true),
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One profile on a network.
#[derive(Clone)]
pub struct Person {
    network: PathBuf,
    pub profile: PathBuf,
    pub id: String,
    pub phrase: String,
}

/// How a command ended.
pub struct Ended {
    pub code: Option<i32>,
    pub lines: Vec<Value>,
    pub stderr: String,
}

impl Ended {
    /// The code of the error object that a failed command prints.
    pub fn error(&self) -> &str {
        self.lines.last().and_then(|line| line["error"]["code"].as_str()).unwrap_or("")
    }

    /// Its sentence.
    pub fn sentence(&self) -> &str {
        self.lines.last().and_then(|line| line["error"]["message"].as_str()).unwrap_or("")
    }
}

impl Person {
    /// The program on this profile, with JSON output.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.arg("--json").arg("--profile").arg(&self.profile).arg("--network").arg(&self.network);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Ok(library) = std::env::var("SEPTET_PRELOAD") {
            // Of `scripts/wrong-clocks`: it makes up the time.
            command.env("LD_PRELOAD", library);
        }
        // A keychain entry would outlive the test.
        command.arg("--key-file");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut process = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that does not read its input is no failure of the test.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        let output = process.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).expect("output is UTF-8");
        assert!(!stdout.contains(OTHER_BREAKS), "a reader of lines is misled: {stdout:?}");
        let lines: Vec<_> = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
            .collect();
        assert!(lines.len() == 1 || arguments.contains(&"receive"), "not one object: {stdout}");
        Ended {
            code: output.status.code(),
            lines,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What a command that must succeed prints for people.
    pub fn human(&self, arguments: &[&str]) -> String {
        let mut command = program();
        command.arg("--profile").arg(&self.profile).arg("--network").arg(&self.network).arg("--key-file");
        let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("output is UTF-8")
    }

    /// Runs a command that must succeed, and returns what it printed last.
    pub fn ok(&self, arguments: &[&str]) -> Value {
        self.ok_with_input(arguments, "")
    }

    pub fn ok_with_input(&self, arguments: &[&str], input: &str) -> Value {
        let ended = self.run_with_input(arguments, input);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        ended.lines.last().cloned().unwrap_or(Value::Null)
    }

    pub fn send(&self, to: &str, text: &str) {
        let sent = self.ok_with_input(&["send", to, "--text-file", "-"], text);
        assert_eq!(sent["state"], "sent");
        assert_eq!(sent["hash"].as_str().map(str::len), Some(43), "{sent}");
    }

    /// Fetches once; the events.
    pub fn receive(&self) -> Vec<Value> {
        let ended = self.run(&["receive"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.lines
    }

    /// All messages with somebody, oldest first.
    pub fn messages(&self, with: &str) -> Vec<Value> {
        self.ok(&["messages", with, "--limit", "10000"]).as_array().unwrap().clone()
    }

    /// The texts of all messages with somebody, oldest first.
    pub fn texts(&self, with: &str) -> Vec<String> {
        self.messages(with).iter().map(|message| message["text"].as_str().unwrap().to_string()).collect()
    }
}
