//! What `cargo tree` says about the dependencies of a crate.

/// How to ask: one line a package, its features behind a bar.
pub(crate) const FORMAT: &str = "{p}|{f}";

/// Judges an answer to [`FORMAT`]: which packages may not be there, and which features may not be on.
pub(crate) fn violations(tree: &str, may_name: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let (package, features) = line.rsplit_once('|').unwrap_or((line, ""));
        let name = package.split_whitespace().next().unwrap_or_default();
        if !may_name.contains(&name) {
            found.push(format!("depends on `{name}`, which is not on the list of what it may name"));
        }
        for feature in features.split(',').map(str::trim).filter(|feature| gives_std(feature)) {
            found.push(format!("turns on the feature `{feature}` of `{name}`"));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a feature, by the name that every crate gives it, brings the standard library in. `default` is among them:
/// a pure crate names the features that it wants.
fn gives_std(feature: &str) -> bool {
    matches!(feature, "std" | "default" | "use_std" | "getrandom")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [&str; 3] = ["tenure-core", "foldhash", "hashbrown"];

    #[test]
    fn what_is_on_the_list_passes() {
        let tree = "tenure-core v0.1.0 (/a b/c|d)|\nfoldhash v0.2.0|\nhashbrown v0.17.1|alloc,inline-more\n";
        assert_eq!(violations(tree, &LIST), Vec::<String>::new());
    }

    #[test]
    fn a_planted_dependency_is_caught() {
        let tree = "tenure-core v0.1.0 (/x)|\ntokio v1.54.0|rt,time\ntokio v1.54.0|rt,time\n";
        let found = violations(tree, &LIST);
        assert_eq!(found, ["depends on `tokio`, which is not on the list of what it may name"]);
    }

    #[test]
    fn a_planted_std_feature_is_caught() {
        let found = violations("foldhash v0.2.0|alloc,std\nhashbrown v0.17.1|default\n", &LIST);
        assert_eq!(
            found,
            ["turns on the feature `default` of `hashbrown`", "turns on the feature `std` of `foldhash`"]
        );
    }
}
