//! Signals in both directions.

use super::refusals::{draining, invalid, subscriptions_full};
use super::{Answer, Mux};
use crate::door::Flow;
use crate::signals::Listener;
use std::sync::Arc;
use tenure_core::{BadSubject, NAME_LEN_MAX, Subject, check_pattern, is_payload};
use tenure_wire::mux::{RequestId, Response, SIGNAL_LEN_MAX};

impl Mux {
    pub(super) fn signal(&self, id: RequestId, channel: &[u8], payload: &[u8], out: &mut Vec<u8>) -> Flow {
        let mut crowded = false;
        let response = self.publish(channel, payload, &mut crowded);
        let flow = self.reply(id, response, out);
        if crowded && matches!(flow, Flow::Next) { Flow::Rest } else { flow }
    }

    fn publish(&self, channel: &[u8], payload: &[u8], crowded: &mut bool) -> Answer<'static> {
        self.ask(|_| ())?;
        if self.shared().is_draining() {
            return Ok(draining());
        }
        let subject = match Subject::new(channel) {
            Ok(subject) => subject,
            Err(bad) => return Ok(bad_subject(bad)),
        };
        if !is_payload(payload) {
            return Ok(invalid(
                "a payload is not blank and has no line feed, since listeners of the line protocol get it as one line; \
                 encode it",
            ));
        }
        let passed = self.shared().signals.publish(subject, payload);
        *crowded = passed.crowded;
        Ok(Response::Count(passed.count))
    }

    pub(super) fn listen(&self, pattern: &[u8], group: &[u8]) -> Answer<'static> {
        self.ask(|_| ())?;
        if self.shared().is_draining() {
            return Ok(draining());
        }
        if let Err(bad) = check_pattern(pattern) {
            return Ok(bad_subject(bad));
        }
        if group.len() > NAME_LEN_MAX {
            return Ok(invalid("the name of a group has at most 512 bytes; shorten it"));
        }
        let listener = Listener { mailbox: Arc::clone(&self.peer.mailbox), len_max: SIGNAL_LEN_MAX };
        let most = self.shared().config.max_subscriptions.map(|most| most.saturating_sub(self.interests()));
        let listens = self.shared().signals.listen(self.peer.owner, &listener, (pattern, named(group)), most);
        Ok(if listens { Response::Done } else { subscriptions_full() })
    }

    pub(super) fn unlisten(&self, pattern: &[u8], group: &[u8]) -> Answer<'static> {
        self.shared().signals.unlisten(self.peer.owner, pattern, named(group));
        Ok(Response::Done)
    }
}

fn named(group: &[u8]) -> Option<&[u8]> {
    (!group.is_empty()).then_some(group)
}

const fn bad_subject(bad: BadSubject) -> Response<'static> {
    invalid(match bad {
        BadSubject::Empty => "a channel has at least one byte",
        BadSubject::TooLong => "a channel has at most 512 bytes",
        BadSubject::Blank => "a channel has no blanks, tabs or line ends",
        BadSubject::Wildcard => "a signal goes to one channel; leave `*` and `>` to those who listen",
        BadSubject::MisplacedWildcard => {
            "`*` and `>` are whole tokens between dots, and `>` only the last one"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_wire::mux::{Push, encode_push};

    #[test]
    fn the_longest_signal_fits_a_frame_and_one_byte_more_does_not() {
        let payload = vec![b'p'; SIGNAL_LEN_MAX];
        for (len, fits) in [(SIGNAL_LEN_MAX - 1, true), (SIGNAL_LEN_MAX, false)] {
            let push = Push::Signal { channel: b"c", payload: &payload[..len] };
            assert_eq!(encode_push(&mut Vec::new(), &push).is_ok(), fits, "{len} bytes and a channel of one");
        }
    }

    #[test]
    fn a_payload_that_would_be_two_lines_or_none_does_not_fit_one() {
        for (payload, fits) in [
            (&b"x y"[..], true),
            (b" x", true),
            (b"", false),
            (b" \t", false),
            (b"a\nb", false),
            (b"a\r", false),
        ] {
            assert_eq!(is_payload(payload), fits, "{}", payload.escape_ascii());
        }
    }
}
