//! The requests of one connection, written out once and sent again and again.

use super::args::Mode;

/// Where the tokens stand in for what a grant will bring. An echo server gets them as they are.
const NO_TOKEN: [u8; TOKEN_LEN] = [b'0'; TOKEN_LEN];
const TOKEN_LEN: usize = 32;
const KEY_LEN: usize = 16;
const RELEASE_LEN: usize = 2 + KEY_LEN + 1 + TOKEN_LEN + 1;

/// A batch of acquires, and the releases of what they bring.
pub(super) struct Requests {
    acquires: Vec<u8>,
    releases: Vec<u8>,
}

impl Requests {
    /// Those of connection number `connection`, with `in_flight` keys of its own or the one that all share.
    pub(super) fn new(run: u32, mode: Mode, connection: usize, in_flight: usize) -> Self {
        let mut requests = Self { acquires: Vec::new(), releases: Vec::new() };
        for slot in 0..in_flight {
            match mode {
                Mode::Own => requests.push(&key(run, connection * in_flight + slot), "10"),
                Mode::Contended => requests.push(&key(run, 0), "3600"),
            }
        }
        requests
    }

    fn push(&mut self, key: &str, wait_s: &str) {
        self.acquires.extend_from_slice(format!("l\n{key}\n{wait_s} 60\n").as_bytes());
        self.releases.extend_from_slice(format!("r\n{key}\n").as_bytes());
        self.releases.extend_from_slice(&NO_TOKEN);
        self.releases.push(b'\n');
    }

    /// The acquires, as sent.
    pub(super) fn acquires(&self) -> &[u8] {
        &self.acquires
    }

    /// The releases, as sent.
    pub(super) fn releases(&self) -> &[u8] {
        &self.releases
    }

    /// Reads the answer to acquire number `slot`, and puts its token into the release. `false` when it is no grant.
    pub(super) fn granted(&mut self, slot: usize, answer: &[u8]) -> bool {
        let Some(token) = answer.strip_prefix(b"ok ").and_then(|rest| rest.split_first_chunk::<TOKEN_LEN>())
        else {
            return false;
        };
        let end = (slot + 1) * RELEASE_LEN - 1;
        self.releases[end - TOKEN_LEN..end].copy_from_slice(token.0);
        token.1.first().is_none_or(|next| *next == b' ')
    }
}

/// A name of sixteen bytes that no other run of the bench uses at the same time.
pub(super) fn key(run: u32, number: usize) -> String {
    let key = format!("b{:07x}{:08x}", run & 0x0fff_ffff, number & 0xffff_ffff);
    debug_assert_eq!(key.len(), KEY_LEN);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_with_keys_of_their_own_share_none() {
        let text = |connection| {
            String::from_utf8(Requests::new(7, Mode::Own, connection, 2).acquires).expect("text")
        };
        assert_eq!(text(0), "l\nb000000700000000\n10 60\nl\nb000000700000001\n10 60\n");
        assert_eq!(text(1), "l\nb000000700000002\n10 60\nl\nb000000700000003\n10 60\n");
    }

    #[test]
    fn contending_connections_ask_for_the_same_key() {
        let text = |connection| Requests::new(7, Mode::Contended, connection, 1).acquires;
        assert_eq!(text(0), text(9));
        assert!(text(0).ends_with(b"\n3600 60\n"));
    }

    #[test]
    fn the_token_of_each_grant_goes_into_its_release() {
        let mut requests = Requests::new(7, Mode::Own, 0, 2);
        let (first, second) = ("a".repeat(32), "b".repeat(32));
        assert!(requests.granted(1, format!("ok {second} 60").as_bytes()));
        assert!(requests.granted(0, format!("ok {first} 60").as_bytes()));
        let wanted = format!("r\nb000000700000000\n{first}\nr\nb000000700000001\n{second}\n");
        assert_eq!(requests.releases(), wanted.as_bytes());
    }

    #[test]
    fn anything_but_a_grant_is_refused() {
        let mut requests = Requests::new(7, Mode::Own, 0, 1);
        for answer in
            ["timeout", "ok", "error_max_locks", "ok short 60", &format!("ok {} 60", "a".repeat(33))]
        {
            assert!(!requests.granted(0, answer.as_bytes()), "{answer}");
        }
    }
}
