//! Names that match a pattern in which `*` stands for any run of bytes.

/// Whether a name matches. It takes time in proportion to the product of the lengths, whatever the pattern.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < name.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some((at.0 + 1, at.1));
                at.0 += 1;
            }
            Some(byte) if *byte == name[at.1] => at = (at.0 + 1, at.1 + 1),
            Some(_) | None => {
                // The last star takes one byte more.
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                at = (after, taken + 1);
            }
        }
    }
    pattern[at.0..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_run_and_everything_else_for_itself() {
        for (pattern, name) in
            [("*", "any"), ("a*", "a"), ("a*c", "abbc"), ("*b*", "abc"), ("a.c", "a.c"), ("**", "")]
        {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a*", "ba"), ("a.c", "abc"), ("?", "a"), ("a", "ab"), ("a*b", "abc"), ("", "a")]
        {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_full_of_stars_is_no_trap() {
        assert!(!matches(&b"*a".repeat(100), &[b'b'; 500]));
    }
}
