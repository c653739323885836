//! Who may speak at all.

use crate::AuthToken;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};

/// Knows the secret that a connection must show first, as a digest of it, if there is one.
#[derive(Debug)]
pub(crate) struct Gate(Option<Digest>);

impl Gate {
    pub(crate) fn new(token: Option<&AuthToken>) -> Self {
        Self(token.map(|token| digest(&SHA256, token.bytes())))
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the token is the right one. Digests are compared, so neither where the token differs nor how long it is
    /// shows in the time it takes.
    pub(crate) fn admits(&self, token: &[u8]) -> bool {
        let shown = digest(&SHA256, token);
        let known = self.0.as_ref().map(Digest::as_ref).unwrap_or_default();
        verify_slices_are_equal(known, shown.as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_token_is_admitted() {
        let gate = Gate::new(AuthToken::new(b"secret").as_ref());
        assert!(gate.admits(b"secret"));
        for wrong in [&b""[..], b"secre", b"secret ", b"Secret"] {
            assert!(!gate.admits(wrong));
        }
        assert!(!gate.is_open());
    }
}
