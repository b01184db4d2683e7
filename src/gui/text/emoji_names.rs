//! Emoji by name, for what is typed behind `:`.

use emojis::UnicodeVersion;

/// The newest emoji that are offered: many systems' fonts cannot draw later ones yet.
const NEWEST: UnicodeVersion = UnicodeVersion::new(15, 0);

/// Emoji whose short code or name has this in it, with the code that fits: those whose code it is or begins first, then
/// in the order of Unicode.
pub fn search(typed: &str) -> Vec<(&'static str, &'static str)> {
    let typed = typed.to_ascii_lowercase();
    let mut found: Vec<(u8, &str, &str)> = emojis::iter()
        .filter(|emoji| emoji.unicode_version() <= NEWEST)
        .filter_map(|emoji| {
            let code = |fits: &dyn Fn(&str) -> bool| emoji.shortcodes().find(|code| fits(code));
            let (rank, code) = code(&|code| code == typed)
                .map(|code| (0, code))
                .or_else(|| code(&|code| code.starts_with(&typed)).map(|code| (1, code)))
                .or_else(|| {
                    code(&|code| code.split('_').any(|word| word.starts_with(&typed))).map(|code| (2, code))
                })
                .or_else(|| emoji.name().to_lowercase().contains(&typed).then(|| (3, emoji.name())))?;
            Some((rank, emoji.as_str(), code))
        })
        .collect();
    found.sort_by_key(|(rank, ..)| *rank);
    found.into_iter().map(|(_, emoji, code)| (emoji, code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_fit_comes_first() {
        assert_eq!(search("smile")[0].0, "😄");
        assert_eq!(search("HEART")[0], ("❤️", "heart"));
        assert!(search("smi").iter().any(|(emoji, _)| *emoji == "😏"));
        assert!(search("no such thing").is_empty());
    }
}
