//! Bytes that no sane client sends.

use crate::harness::{Daemon, until};

#[test]
fn a_key_need_not_be_text() {
    let daemon = Daemon::start(&[]);
    let (mut one, mut other) = (daemon.connect(), daemon.connect());
    let mut hold = |key: &[u8]| {
        one.send([b"l\n", key, b"\n0\n"].concat());
        one.grant()
    };
    let first = hold(b"k\x80\xff");
    hold(b"k\x80");
    hold("schlüssel".as_bytes());
    other.send(b"l\nk\x80\xff\n0\n");
    assert_eq!(other.line(), "timeout");
    other.send([b"r\nk\x80\xff\n".as_slice(), first.token.as_bytes(), b"\n"].concat());
    assert_eq!(other.line(), "ok");
}

#[test]
fn nul_bytes_belong_to_the_name() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let grant = client.acquire("l", "a\0b", "0");
    assert_eq!(client.ask("r", "a", &grant.token), "error");
    assert_eq!(client.ask("r", "a\0b", &grant.token), "ok");
}

/// A small generator with a fixed seed, so that a failure can be repeated.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn noise(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next().to_be_bytes()[3]).collect()
    }

    /// Something that begins like a request.
    fn almost_a_request(&mut self) -> Vec<u8> {
        const COMMANDS: [&str; 18] = [
            "l", "r", "n", "e", "w", "sl", "sr", "sn", "se", "sw", "stats", "ping", "auth", "signal",
            "listen", "unlisten", "inspect", "bind",
        ];
        const ARGUMENTS: [&str; 9] =
            ["0", "0 1", "0 3", "3", "-1", "", "0 0 0 0", "99999999999999999999", " "];
        let command = COMMANDS[usize::try_from(self.below(18)).unwrap()];
        let key_length = self.below(6);
        let mut request = [command.as_bytes(), b"\n", &self.noise(key_length), b"\n"].concat();
        request.extend_from_slice(ARGUMENTS[usize::try_from(self.below(9)).unwrap()].as_bytes());
        request.push(b'\n');
        if self.below(4) == 0 {
            let at = usize::try_from(self.below(request.len() as u64)).unwrap();
            request[at] = self.next().to_be_bytes()[5];
        }
        request
    }
}

#[test]
fn noise_harms_nobody() {
    let daemon = Daemon::start(&[]);
    let mut neighbour = daemon.connect();
    let grant = neighbour.acquire("l", "neighbour", "0 60");
    let mut bytes = Bytes(0x5eed_0000_7e2c_0de5);
    for round in 0..300 {
        let mut client = daemon.connect();
        let blob = if round % 2 == 0 {
            let length = bytes.below(3000);
            bytes.noise(length)
        } else {
            (0..bytes.below(40)).flat_map(|_| bytes.almost_a_request()).collect()
        };
        // The daemon may end the connection while this is being written.
        if client.try_send(&blob) {
            client.try_finish();
        }
        client.rest();
    }
    assert_eq!(neighbour.ask("n", "neighbour", &grant.token), "ok 33");
    until("everybody else is gone", || neighbour.stats()["connections"] == 1);
    let stats = neighbour.stats();
    assert_eq!(stats["locks"].as_array().unwrap().len(), 1, "{stats}");
    assert_eq!(stats["semaphores"], serde_json::json!([]));
    assert_eq!(stats["signal_channels"], serde_json::json!([]));
}
