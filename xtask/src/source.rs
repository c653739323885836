//! What the sources of a pure crate may say.

/// The first thing that a pure crate says about itself: only its tests may use the standard library.
const NO_STD: &str = "#![cfg_attr(not(test), no_std)]";

/// Judges the root of a crate.
pub(crate) fn root_violations(text: &str) -> Vec<String> {
    if code_lines(text).any(|line| line == NO_STD) {
        violations(text)
    } else {
        let mut found = vec![format!("does not say `{NO_STD}`")];
        found.extend(violations(text));
        found
    }
}

/// Judges one file. Without the standard library in its prelude a crate can only reach it by naming it as an external
/// crate, so that is all there is to look for.
pub(crate) fn violations(text: &str) -> Vec<String> {
    let words: Vec<&str> =
        code_lines(text).flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words
        .windows(3)
        .filter(|window| window[0] == "extern" && window[1] == "crate" && window[2] != "alloc")
        .map(|window| format!("says `extern crate {}`", window[2]))
        .collect()
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURE: &str = "//! Docs.\n#![cfg_attr(not(test), no_std)]\n\nextern crate alloc;\n";

    #[test]
    fn a_pure_root_passes() {
        assert_eq!(root_violations(PURE), Vec::<String>::new());
    }

    #[test]
    fn a_root_that_forgot_the_attribute_is_caught() {
        for planted in ["", "// #![cfg_attr(not(test), no_std)]", "#![cfg_attr(feature = \"x\", no_std)]"] {
            let found = root_violations(planted);
            assert_eq!(found, ["does not say `#![cfg_attr(not(test), no_std)]`"], "{planted}");
        }
    }

    #[test]
    fn a_planted_standard_library_is_caught_however_it_is_written() {
        for planted in
            ["extern crate std;", "#[macro_use] extern  crate std as s;", "extern\n    crate\n std;"]
        {
            assert_eq!(violations(&format!("{PURE}{planted}")), ["says `extern crate std`"], "{planted}");
        }
    }

    #[test]
    fn a_comment_may_say_anything() {
        assert_eq!(violations("// never extern crate std\n"), Vec::<String>::new());
    }
}
