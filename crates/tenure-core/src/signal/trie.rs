//! Patterns by their tokens, so that a signal meets only the patterns that can match it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::subject::{Subject, tokens};

/// A set of patterns. A subject has no wildcards, so wildcards are kept as tokens like any other.
///
/// The nodes lie in one vector and name each other by place: no chain of boxes whose end could exhaust the stack.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Box<[u8]>, usize>,
    pattern: Option<Arc<[u8]>>,
}

const ROOT: usize = 0;

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::from([Node::default()]), free: Vec::new() }
    }

    /// Adds a pattern; harmless when it is there.
    pub(super) fn insert(&mut self, pattern: Arc<[u8]>) {
        let mut at = ROOT;
        for token in tokens(&pattern) {
            at = match self.nodes[at].children.get(token) {
                Some(child) => *child,
                None => self.add_child(at, token),
            };
        }
        self.nodes[at].pattern = Some(pattern);
    }

    /// Takes a pattern away, and every node that only it needed; harmless when it is not there.
    pub(super) fn remove(&mut self, pattern: &[u8]) {
        let mut way = Vec::new();
        let mut at = ROOT;
        for token in tokens(pattern) {
            way.push((at, token));
            match self.nodes[at].children.get(token) {
                Some(child) => at = *child,
                None => return,
            }
        }
        self.nodes[at].pattern = None;
        while let Some((parent, token)) = way.pop()
            && self.nodes[at].is_needless()
        {
            self.nodes[parent].children.remove(token);
            self.free.push(at);
            at = parent;
        }
    }

    /// The patterns that match, always in the same order.
    pub(super) fn matches(&self, subject: Subject<'_>) -> Vec<Arc<[u8]>> {
        let mut found = Vec::new();
        let mut level = Vec::from([ROOT]);
        let mut next = Vec::new();
        for token in tokens(subject.as_bytes()) {
            for at in level.drain(..) {
                let node = &self.nodes[at];
                found.extend(node.child(b">").and_then(|tail| self.nodes[tail].pattern.clone()));
                next.extend(node.child(token));
                next.extend(node.child(b"*"));
            }
            core::mem::swap(&mut level, &mut next);
            if level.is_empty() {
                break;
            }
        }
        found.extend(level.iter().filter_map(|at| self.nodes[*at].pattern.clone()));
        found
    }

    fn add_child(&mut self, parent: usize, token: &[u8]) -> usize {
        let child = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.nodes.len() - 1
        });
        self.nodes[parent].children.insert(token.into(), child);
        child
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }
}

impl Node {
    fn child(&self, token: &[u8]) -> Option<usize> {
        self.children.get(token).copied()
    }

    fn is_needless(&self) -> bool {
        self.pattern.is_none() && self.children.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_token_and_a_tail_is_one_or_more() {
        let trie = trie(&["alerts.>", "alerts.*", "*.cpu", ">", "*"]);
        assert_eq!(matches(&trie, "alerts"), [">", "*"]);
        assert_eq!(matches(&trie, "alerts.cpu"), [">", "alerts.>", "alerts.*", "*.cpu"]);
        assert_eq!(matches(&trie, "alerts.cpu.hot"), [">", "alerts.>"]);
    }

    #[test]
    fn empty_tokens_are_tokens() {
        let trie = trie(&["a..*", "a.*.b", "a.>"]);
        assert_eq!(matches(&trie, "a..b"), ["a.>", "a..*", "a.*.b"]);
        assert_eq!(matches(&trie, "a."), ["a.>"]);
    }

    #[test]
    fn a_misplaced_wildcard_matches_nothing() {
        let trie = trie(&["a.>.b", "a*", "**"]);
        assert!(matches(&trie, "a.x.b").is_empty());
        assert!(matches(&trie, "ab").is_empty());
    }

    #[test]
    fn what_is_removed_leaves_nothing_behind() {
        let mut trie = trie(&["a.*", "a.*.b", "a.>"]);
        trie.remove(b"a.*");
        assert_eq!(matches(&trie, "a.x.b"), ["a.>", "a.*.b"]);
        for pattern in ["a.*.b", "a.>", "a.>", "never.*.there"] {
            trie.remove(pattern.as_bytes());
        }
        assert_eq!(trie.len(), 1);
        trie.insert(Arc::from(&b"b.*"[..]));
        assert_eq!(matches(&trie, "b.x"), ["b.*"]);
        assert_eq!(trie.nodes.len(), 5, "freed nodes are used again");
    }

    #[test]
    fn a_pattern_of_very_many_tokens_is_dropped_without_recursion() {
        let long = b"*.".repeat(200_000);
        let mut trie = Trie::new();
        trie.insert(Arc::from(&long[..]));
        trie.remove(&long);
        assert_eq!(trie.len(), 1);
    }

    fn trie(patterns: &[&str]) -> Trie {
        let mut trie = Trie::new();
        for pattern in patterns {
            trie.insert(Arc::from(pattern.as_bytes()));
        }
        trie
    }

    fn matches(trie: &Trie, subject: &str) -> Vec<String> {
        let subject = Subject::new(subject.as_bytes()).expect("a subject");
        trie.matches(subject).iter().map(|pattern| String::from_utf8_lossy(pattern).into_owned()).collect()
    }
}
