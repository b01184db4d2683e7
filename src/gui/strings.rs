//! Every word the window shows, from Fluent files under `assets/locales/`.
//!
//! Decision: code holds names of strings, never strings. English is complete and stands in for what another language
//! lacks. Plain strings are formatted once and kept, because a frame asks for dozens of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use unic_langid::langid;

/// The English files; also what the test reads that compares names used and names defined.
const ENGLISH: &[&str] = &[
    include_str!("../../assets/locales/en/main.ftl"),
    include_str!("../../assets/locales/en/onboarding.ftl"),
    include_str!("../../assets/locales/en/account.ftl"),
    include_str!("../../assets/locales/en/details.ftl"),
    include_str!("../../assets/locales/en/requests.ftl"),
    include_str!("../../assets/locales/en/composer.ftl"),
    include_str!("../../assets/locales/en/files.ftl"),
    include_str!("../../assets/locales/en/messages.ftl"),
    include_str!("../../assets/locales/en/voice.ftl"),
    include_str!("../../assets/locales/en/quiet.ftl"),
];

/// The table of strings of one language.
pub struct Strings {
    bundle: FluentBundle<FluentResource>,
    plain: RefCell<HashMap<&'static str, Arc<str>>>,
}

impl Strings {
    /// The English table.
    pub fn english() -> Self {
        let mut bundle = FluentBundle::new(vec![langid!("en")]);
        bundle.set_use_isolating(false); // texts are laid out by our own bidi code
        for source in ENGLISH {
            let resource =
                FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(partial, errors)| {
                    tracing::error!("the string table has {} mistakes", errors.len());
                    partial
                });
            bundle.add_resource_overriding(resource);
        }
        Self { bundle, plain: RefCell::default() }
    }

    /// The string of this name. A name that is not in the table is shown as it is.
    pub fn t(&self, name: &'static str) -> Arc<str> {
        if let Some(text) = self.plain.borrow().get(name) {
            return Arc::clone(text);
        }
        let text: Arc<str> = self.format(name, None).into();
        self.plain.borrow_mut().insert(name, Arc::clone(&text));
        text
    }

    /// The string of this name with values put in; numbers choose the plural form.
    pub fn with<'a, const N: usize>(
        &self,
        name: &'static str,
        values: [(&'static str, FluentValue<'a>); N],
    ) -> String {
        self.format(name, Some(&FluentArgs::from_iter(values)))
    }

    fn format(&self, name: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(name).and_then(|message| message.value()) else {
            tracing::error!(name, "not in the string table");
            return name.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors);
        if !errors.is_empty() {
            tracing::error!(name, "a value is missing");
        }
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of all messages of the English table.
    fn defined() -> Vec<&'static str> {
        let line = |line: &'static str| {
            let (name, _) = line.split_once(" =")?;
            name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
        };
        ENGLISH.iter().flat_map(|source| source.lines()).filter_map(line).collect()
    }

    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_string_is_defined_once_and_used() {
        let mut code = String::new();
        sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/gui")), &mut code);
        let defined = defined();
        for (index, name) in defined.iter().enumerate() {
            assert!(!defined[..index].contains(name), "{name} is defined twice");
            assert!(code.contains(&format!("\"{name}\"")), "{name} is not used");
        }
        for call in [".t(\"", "strings.with(\""] {
            for rest in code.split(call).skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(defined.contains(&name), "{name} is not defined");
            }
        }
    }

    #[test]
    fn plurals_follow_the_number() {
        let strings = Strings::english();
        assert_eq!(strings.with("jump-to-latest", [("count", 1.into())]), "Jump to latest, 1 new message");
        assert_eq!(strings.with("jump-to-latest", [("count", 7.into())]), "Jump to latest, 7 new messages");
        assert_eq!(&*strings.t("search-hint"), "Search or paste an ID");
    }
}
