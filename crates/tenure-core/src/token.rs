//! What a holder shows to prove that a grant is its own.

use core::fmt;

/// The length of a token in text: thirty-two lowercase hexadecimal digits.
pub const TOKEN_LEN: usize = 32;

/// A number that rises with every grant of a key, for ever.
///
/// A resource that remembers the highest fence it has seen can refuse whoever comes with a lower one, which is the only
/// thing that protects it from a holder whose lease has ended without its knowing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(u64);

/// The part of a token that nobody can guess. It never appears in a debug print.
#[derive(Clone, Copy)]
pub struct Secret(u64);

/// What `acquire` answers and `renew` and `release` ask for: the fence, then the secret.
///
/// Its text form is thirty-two lowercase hexadecimal digits, the first sixteen of them the fence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Which grant of the key.
    pub fence: Fence,
    /// The proof that it is one's own.
    pub secret: Secret,
}

/// The bytes are not thirty-two lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken;

impl Fence {
    /// The fence of that number.
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

impl Secret {
    /// A secret of 64 bits, drawn by the caller from a generator that nobody can predict.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether the two are the same, in a time that does not depend on where they differ.
    #[must_use]
    pub const fn matches(self, other: Self) -> bool {
        self.0 ^ other.0 == 0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(*other)
    }
}

impl Eq for Secret {}

impl Token {
    /// The text form.
    ///
    /// ```
    /// use tenure_core::{Fence, Secret, Token};
    ///
    /// let token = Token { fence: Fence::new(42), secret: Secret::new(7) };
    /// assert_eq!(&token.to_text(), b"000000000000002a0000000000000007");
    /// ```
    #[must_use]
    pub fn to_text(self) -> [u8; TOKEN_LEN] {
        let mut text = [0; TOKEN_LEN];
        let (fence, secret) = text.split_at_mut(TOKEN_LEN / 2);
        write_hex(self.fence.0, fence);
        write_hex(self.secret.0, secret);
        text
    }

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`BadToken`] for anything but thirty-two lowercase hexadecimal digits.
    pub fn from_text(text: &[u8]) -> Result<Self, BadToken> {
        let text: &[u8; TOKEN_LEN] = text.try_into().map_err(|_| BadToken)?;
        let (fence, secret) = text.split_at(TOKEN_LEN / 2);
        Ok(Self { fence: Fence(read_hex(fence)?), secret: Secret(read_hex(secret)?) })
    }

    /// The fence and the secret, both big-endian, for a wire that carries bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; TOKEN_LEN / 2] {
        (((self.fence.0 as u128) << 64) | self.secret.0 as u128).to_be_bytes()
    }

    /// The token of those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; TOKEN_LEN / 2]) -> Self {
        let bits = u128::from_be_bytes(bytes);
        Self { fence: Fence((bits >> 64) as u64), secret: Secret(bits as u64) }
    }
}

fn write_hex(number: u64, digits: &mut [u8]) {
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
}

fn read_hex(digits: &[u8]) -> Result<u64, BadToken> {
    // A digit that is none has bits that no digit has. They are gathered and looked at once, after the last.
    let (mut number, mut seen) = (0_u64, 0_u8);
    for pair in digits.as_chunks::<2>().0 {
        let [high, low] = pair.map(|digit| DIGITS[usize::from(digit)]);
        seen |= high | low;
        number = number << 8 | u64::from(high << 4 | low);
    }
    if seen & NO_DIGIT == 0 { Ok(number) } else { Err(BadToken) }
}

/// What is in the table for a byte that is no lowercase hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// The two digits of every byte.
static PAIRS: [[u8; 2]; 256] = {
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 0xf]];
        byte += 1;
    }
    table
};

static DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fence({})", self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, ..)", self.fence)
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token is {TOKEN_LEN} lowercase hexadecimal digits, as the grant gave it")
    }
}

impl core::error::Error for BadToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_is_the_same_token() {
        let token = Token { fence: Fence::new(0x0123_4567_89ab_cdef), secret: Secret::new(u64::MAX) };
        let read = Token::from_text(&token.to_text()).expect("its own text");
        assert_eq!(read.fence, token.fence);
        assert!(read.secret.matches(token.secret));
    }

    #[test]
    fn bytes_are_the_ones_that_the_text_spells() {
        let token = Token { fence: Fence::new(42), secret: Secret::new(u64::MAX - 1) };
        let spelled: String = token.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(spelled.as_bytes(), token.to_text());
        assert_eq!(Token::from_bytes(token.to_bytes()), token);
    }

    #[test]
    fn anything_but_lowercase_hexadecimal_of_the_right_length_is_refused() {
        for text in [&b""[..], b"0", &[b'A'; 32], &[b'g'; 32], &[b'0'; 31], &[b'0'; 33]] {
            assert_eq!(Token::from_text(text).err(), Some(BadToken));
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let token = Token { fence: Fence::new(1), secret: Secret::new(0xdead_beef) };
        assert_eq!(format!("{token:?}"), "Token(1, ..)");
    }
}
