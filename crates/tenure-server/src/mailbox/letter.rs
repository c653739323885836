//! A signal on its way.

use std::fmt;
use std::sync::Arc;
use tenure_core::Subject;
use tenure_wire::line::encode_signal;

/// What stands before the subject in the line of a signal.
const BEFORE_SUBJECT: usize = b"sig ".len();

/// A signal, written once for all who hear it.
#[derive(Clone)]
pub(crate) struct Letter {
    line: Arc<[u8]>,
    subject_len: usize,
}

impl Letter {
    pub(crate) fn new(subject: Subject<'_>, payload: &[u8]) -> Self {
        let mut line = Vec::new();
        encode_signal(&mut line, subject.as_bytes(), payload);
        Self { line: line.into(), subject_len: subject.as_bytes().len() }
    }

    /// The line that a listener of the line protocol gets.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(crate) fn subject(&self) -> &[u8] {
        &self.line[BEFORE_SUBJECT..BEFORE_SUBJECT + self.subject_len]
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.line[BEFORE_SUBJECT + self.subject_len + 1..self.line.len() - 1]
    }

    /// How many bytes the subject and the payload have.
    pub(crate) fn len(&self) -> usize {
        self.line.len() - BEFORE_SUBJECT - 2
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_its_parts_and_its_line() {
        let letter = Letter::new(Subject::new(b"a.b").expect("a subject"), b" x y");
        assert_eq!(letter.line(), b"sig a.b  x y\n");
        assert_eq!((letter.subject(), letter.payload(), letter.len()), (&b"a.b"[..], &b" x y"[..], 7));
    }
}
