//! From the fields of a frame to values.

use super::{BadFrame, number};
use alloc::vec::Vec;
use core::time::Duration;
use tenure_core::{BadName, ClaimId, Fence, HOST_LEN_MAX, Key, LABEL_LEN_MAX, Limit, OwnerId, Token};

/// The fields of a frame, or of a record, that were not read yet.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(super) const fn new(fields: &'a [u8]) -> Self {
        Self(fields)
    }

    #[inline]
    fn fixed<const LEN: usize>(&mut self) -> Result<[u8; LEN], BadFrame> {
        let (field, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*field)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, BadFrame> {
        self.fixed().map(u8::from_be_bytes)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, BadFrame> {
        self.fixed().map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, BadFrame> {
        self.fixed().map(u32::from_be_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, BadFrame> {
        self.fixed().map(u64::from_be_bytes)
    }

    #[inline]
    pub(super) fn u128(&mut self) -> Result<u128, BadFrame> {
        self.fixed().map(u128::from_be_bytes)
    }

    pub(super) fn flag(&mut self) -> Result<bool, BadFrame> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BadFrame::Malformed("a flag is zero or one")),
        }
    }

    #[inline]
    pub(super) fn claim(&mut self) -> Result<ClaimId, BadFrame> {
        self.u128().map(ClaimId::new)
    }

    pub(super) fn owner(&mut self) -> Result<OwnerId, BadFrame> {
        self.u64().map(OwnerId::new)
    }

    pub(super) fn fence(&mut self) -> Result<Fence, BadFrame> {
        self.u64().map(Fence::new)
    }

    #[inline]
    pub(super) fn token(&mut self) -> Result<Token, BadFrame> {
        self.fixed().map(Token::from_bytes)
    }

    #[inline]
    pub(super) fn limit(&mut self) -> Result<Limit, BadFrame> {
        Limit::new(self.u32()?).ok_or(BadFrame::Malformed("a limit is at least one permit"))
    }

    #[inline]
    pub(super) fn time(&mut self) -> Result<Duration, BadFrame> {
        self.u64().map(Duration::from_millis)
    }

    /// Bytes behind their length.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], BadFrame> {
        let len = usize::from(self.u16()?);
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(CUT)?;
        self.0 = rest;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn text(&mut self) -> Result<&'a str, BadFrame> {
        core::str::from_utf8(self.bytes()?).map_err(|_| BadFrame::Malformed("a text is not UTF-8"))
    }

    #[inline]
    pub(super) fn label(&mut self) -> Result<&'a str, BadFrame> {
        self.short(LABEL_LEN_MAX, "a label has at most 256 bytes")
    }

    pub(super) fn host(&mut self) -> Result<&'a str, BadFrame> {
        self.short(HOST_LEN_MAX, "the name of a host has at most 64 bytes")
    }

    /// A text of at most `len_max` bytes; `too_long` says that it has more.
    #[inline]
    pub(super) fn short(&mut self, len_max: usize, too_long: &'static str) -> Result<&'a str, BadFrame> {
        let text = self.text()?;
        if text.len() > len_max { Err(BadFrame::Malformed(too_long)) } else { Ok(text) }
    }

    #[inline]
    pub(super) fn key(&mut self) -> Result<Key<'a>, BadFrame> {
        let space = number::space(self.u8()?)?;
        Key::new(space, self.bytes()?).map_err(|bad| {
            BadFrame::Malformed(match bad {
                BadName::Empty => "a key needs at least one byte",
                BadName::TooLong => "a key has at most 512 bytes",
            })
        })
    }

    /// A value behind a flag that says whether there is one.
    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, BadFrame>,
    ) -> Result<Option<T>, BadFrame> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A record, which is empty when there is no value.
    pub(super) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, BadFrame>,
    ) -> Result<Option<T>, BadFrame> {
        match self.bytes()? {
            [] => Ok(None),
            fields => read(&mut Self(fields)).map(Some),
        }
    }

    /// Records behind their number. Memory grows with those that are there, however many are announced.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, BadFrame>,
    ) -> Result<Vec<T>, BadFrame> {
        let len = self.u16()?;
        let mut values = Vec::new();
        for _ in 0..len {
            values.push(read(&mut Self(self.bytes()?))?);
        }
        Ok(values)
    }
}

const CUT: BadFrame = BadFrame::Malformed("the frame ends before its last field");
