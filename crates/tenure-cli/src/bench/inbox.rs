//! The answers to requests, as they arrive.

/// A buffer that is filled by reads and emptied line by line, or frame by frame. It never grows.
pub(super) struct Inbox {
    bytes: Box<[u8]>,
    taken: usize,
    filled: usize,
}

impl Inbox {
    /// An empty one for so many bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity].into_boxed_slice(), taken: 0, filled: 0 }
    }

    /// Where the next read goes; empty when the answers are longer than any that was asked for.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.taken > 0 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        &mut self.bytes[self.filled..]
    }

    /// So many bytes were read into the space.
    pub(super) fn arrived(&mut self, count: usize) {
        self.filled += count;
    }

    /// Takes the next whole line, without its end.
    pub(super) fn take_line(&mut self) -> Option<&[u8]> {
        let rest = &self.bytes[self.taken..self.filled];
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        self.taken += end + 1;
        Some(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]))
    }

    /// Takes so many bytes of what has arrived.
    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
    }

    /// Takes everything that has arrived, and says how much it was.
    pub(super) fn take_all(&mut self) -> usize {
        let count = self.filled - self.taken;
        self.taken = 0;
        self.filled = 0;
        count
    }

    /// What has arrived and was not taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..self.filled]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(inbox: &mut Inbox, text: &[u8]) {
        inbox.space()[..text.len()].copy_from_slice(text);
        inbox.arrived(text.len());
    }

    #[test]
    fn a_line_is_there_when_its_end_is() {
        let mut inbox = Inbox::new(16);
        arrive(&mut inbox, b"ok ab");
        assert_eq!(inbox.take_line(), None);
        arrive(&mut inbox, b"c\nok");
        assert_eq!(inbox.take_line(), Some(&b"ok abc"[..]));
        assert_eq!(inbox.take_line(), None);
        assert_eq!(inbox.rest(), b"ok");
    }

    #[test]
    fn several_lines_of_one_read_are_taken_in_order() {
        let mut inbox = Inbox::new(16);
        arrive(&mut inbox, b"a\nb\r\n\nc");
        for line in [&b"a"[..], b"b", b""] {
            assert_eq!(inbox.take_line(), Some(line));
        }
        assert_eq!(inbox.take_line(), None);
    }

    #[test]
    fn what_was_taken_makes_room() {
        let mut inbox = Inbox::new(4);
        arrive(&mut inbox, b"ab\nc");
        assert_eq!(inbox.take_line(), Some(&b"ab"[..]));
        assert_eq!(inbox.space().len(), 3);
        arrive(&mut inbox, b"d\n");
        assert_eq!(inbox.take_line(), Some(&b"cd"[..]));
    }

    #[test]
    fn bytes_are_taken_as_somebody_else_finds_their_end() {
        let mut inbox = Inbox::new(4);
        arrive(&mut inbox, b"abcd");
        inbox.take(3);
        assert_eq!(inbox.rest(), b"d");
        assert_eq!(inbox.space().len(), 3);
    }

    #[test]
    fn a_line_longer_than_the_buffer_leaves_no_space() {
        let mut inbox = Inbox::new(4);
        arrive(&mut inbox, b"abcd");
        assert_eq!(inbox.take_line(), None);
        assert!(inbox.space().is_empty());
    }

    #[test]
    fn bytes_are_counted_over_reads() {
        let mut inbox = Inbox::new(4);
        arrive(&mut inbox, b"abcd");
        assert_eq!(inbox.take_all(), 4);
        arrive(&mut inbox, b"ab");
        assert_eq!(inbox.take_all(), 2);
        assert_eq!(inbox.take_all(), 0);
    }
}
