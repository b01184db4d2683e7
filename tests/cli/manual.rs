//! Completions and man pages.

use crate::harness::program;

#[test]
fn every_shell_is_told_of_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = program().args(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["delete-conversation", "--password-file", "account"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let unknown = program().args(["completions", "dos"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert!(program().arg("man").arg(&pages).output().unwrap().status.success());
    for page in ["septet.1", "septet-send.1", "septet-account-restore.1", "septet-completions.1"] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap_or_else(|_| panic!("no {page}"));
        assert!(text.contains("Exit codes:"), "{page}: {text}");
    }
    assert!(!pages.join("septet-node\\-snapshot.1").exists());
}
