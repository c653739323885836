//! Who asks, and for which of its requests.

use crate::{TOKEN_LEN, Token};
use core::fmt;

/// Whoever makes claims: one connection, chosen by the caller and never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(u64);

/// One request for permits. Its owner chose it, so that asking twice is harmless: the second finds the first.
///
/// Whoever knows it has the claim, so a debug print shows its beginning only. Its text form is thirty-two lowercase
/// hexadecimal digits, for those who keep it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(u128);

/// The text is not thirty-two lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadClaimId;

impl OwnerId {
    /// The owner of that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl ClaimId {
    /// The claim of that number.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// The text form.
    ///
    /// ```
    /// use tenure_core::ClaimId;
    ///
    /// assert_eq!(&ClaimId::new(42).to_text(), b"0000000000000000000000000000002a");
    /// ```
    #[must_use]
    pub fn to_text(self) -> [u8; TOKEN_LEN] {
        Token::from_bytes(self.0.to_be_bytes()).to_text()
    }

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`BadClaimId`] for anything but thirty-two lowercase hexadecimal digits.
    pub fn from_text(text: &[u8]) -> Result<Self, BadClaimId> {
        let bytes = Token::from_text(text).map_err(|_| BadClaimId)?.to_bytes();
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Debug for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimId({:08x}..)", self.0 >> 96)
    }
}

impl fmt::Display for BadClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the id of a claim is {TOKEN_LEN} lowercase hexadecimal digits")
    }
}

impl core::error::Error for BadClaimId {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn text_and_back_is_the_same_id() {
        let id = ClaimId::new(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(&id.to_text(), b"0123456789abcdef0011223344556677");
        assert_eq!(ClaimId::from_text(&id.to_text()), Ok(id));
        for text in ["", "0", "0123456789ABCDEF0011223344556677", "0123456789abcdef00112233445566778"] {
            assert_eq!(ClaimId::from_text(text.as_bytes()), Err(BadClaimId));
        }
    }

    #[test]
    fn a_debug_print_shows_too_little_to_take_a_claim_over() {
        let id = ClaimId::new(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(format!("{id:?}"), "ClaimId(01234567..)");
    }
}
