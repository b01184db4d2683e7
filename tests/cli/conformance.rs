//! The page that tells which test shows which behaviour stays true: every number is there, and every test it names.

use std::collections::BTreeSet;
use std::path::Path;

/// The behaviours of private chats, by their numbers.
const NUMBERS: [u32; 64] = [
    1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29, 31, 32, 34, 35, 37, 38, 40, 41,
    43, 44, 46, 47, 49, 50, 52, 53, 55, 56, 58, 59, 61, 62, 64, 65, 67, 68, 70, 71, 79, 80, 82, 83, 85, 86,
    88, 89, 100, 101, 103, 104, 106, 107, 109, 110,
];

/// The names of all tests below a folder.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                tests(&path, found);
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // An attribute that ends in "test", others perhaps, then the function.
            for after in text.split("test]\n").chain(text.split("test(flavor = \"multi_thread\")]\n")).skip(1)
            {
                let line = after.lines().find(|line| !line.trim().starts_with("#["));
                let name = line.and_then(|line| line.split_once("fn ")).and_then(|it| it.1.split_once('('));
                found.extend(name.map(|it| it.0.to_owned()));
            }
        }
    }
}

/// The lines of the page's tables: number, and what shows it.
fn rows(page: &str) -> Vec<(u32, &str)> {
    let lines = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let number = cells.next()?.parse().ok()?;
        Some((number, cells.nth(1)?))
    });
    lines.collect()
}

#[test]
fn every_behaviour_has_a_test_that_exists_or_says_that_it_is_not_there_yet() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let mut known = BTreeSet::new();
    for folder in ["src", "tests", "crates"] {
        tests(&root.join(folder), &mut known);
    }
    let rows = rows(&page);
    let numbers: Vec<u32> = rows.iter().map(|row| row.0).collect();
    assert_eq!(numbers, NUMBERS);
    for (number, shown) in rows {
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty() || shown.starts_with("not yet"), "{number} says nothing");
        for name in named {
            assert!(known.contains(name), "{number}: there is no test {name}");
        }
    }
}
