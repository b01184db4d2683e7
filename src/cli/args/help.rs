//! What `--help` and the man pages say after the options: examples, and what the exit codes mean.

/// The exit codes, the same for all commands.
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed; the reason is on stderr, with --json also on stdout
  2  wrong usage
  3  the profile is locked, or the password is wrong
  4  the network did not do it within the time limit";

/// Examples of a command, one a line, and the exit codes.
pub fn examples(lines: &[&str]) -> String {
    let mut text = "Examples:\n".to_owned();
    for line in lines {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(EXIT_CODES);
    text
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use super::super::Args;

    /// The words of a command line, quotes taken off.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    fn leaves(command: &Command) -> Vec<Command> {
        if !command.has_subcommands() {
            return vec![command.clone()];
        }
        command
            .get_subcommands()
            .filter(|it| !it.is_hide_set() && it.get_name() != "help")
            .flat_map(leaves)
            .collect()
    }

    #[test]
    fn every_command_has_examples_that_it_takes() {
        let mut root = Args::command();
        root.build();
        let commands = leaves(&root);
        assert!(commands.len() > 25);
        for mut command in commands {
            let help = command.render_long_help().to_string();
            let (_, rest) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{help}"));
            let (examples, codes) = rest.split_once("\n\n").unwrap();
            assert!(codes.starts_with("Exit codes:"), "{help}");
            let own = format!("septet {}", command.get_display_name().unwrap().replace('-', " "));
            for example in examples.lines().map(str::trim) {
                // What is before the program only feeds it, what is after only reads it.
                let typed = example.rsplit(" | ").find(|part| part.starts_with("septet")).unwrap_or(example);
                let typed = typed.split(" > ").next().unwrap().split(" < ").next().unwrap();
                assert!(typed.starts_with("septet "), "{example}");
                Args::try_parse_from(words(typed)).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
            let name = command.get_name();
            assert!(examples.contains(name), "{own}: {examples}");
        }
    }
}
