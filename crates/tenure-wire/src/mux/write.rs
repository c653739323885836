//! From values to the fields of a frame.

use super::frame::{KIND_LEN, LENGTH_LEN};
use super::{RequestId, TooLong, number};
use alloc::vec::Vec;
use core::time::Duration;
use tenure_core::{ClaimId, Fence, Key, Limit, OwnerId, Token};

/// A frame in the making, at the end of what it is appended to.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    /// Whether everything up to now has fitted behind its length. What did not was left out.
    fits: bool,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, id: RequestId) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH_LEN + KIND_LEN]);
        out.extend_from_slice(&id.to_be_bytes());
        Self { out, start, fits: true }
    }

    /// Writes the length and the kind in front. A frame of more than `len_max` bytes is taken back.
    #[inline]
    pub(super) fn finish(self, kind: u8, len_max: usize) -> Result<(), TooLong> {
        let len = self.out.len() - self.start - LENGTH_LEN;
        let length = u32::try_from(len).ok().filter(|_| self.fits && len <= len_max);
        let Some(length) = length else {
            self.out.truncate(self.start);
            return Err(TooLong);
        };
        let [a, b, c, d] = length.to_be_bytes();
        self.out[self.start..self.start + LENGTH_LEN + KIND_LEN].copy_from_slice(&[a, b, c, d, kind]);
        Ok(())
    }

    #[inline]
    pub(super) fn u8(&mut self, number: u8) {
        self.out.push(number);
    }

    #[inline]
    pub(super) fn u16(&mut self, number: u16) {
        self.fixed(&number.to_be_bytes());
    }

    #[inline]
    pub(super) fn u32(&mut self, number: u32) {
        self.fixed(&number.to_be_bytes());
    }

    #[inline]
    pub(super) fn u64(&mut self, number: u64) {
        self.fixed(&number.to_be_bytes());
    }

    #[inline]
    pub(super) fn u128(&mut self, number: u128) {
        self.fixed(&number.to_be_bytes());
    }

    #[inline]
    fn fixed(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn flag(&mut self, on: bool) {
        self.u8(u8::from(on));
    }

    #[inline]
    pub(super) fn claim(&mut self, claim: ClaimId) {
        self.u128(claim.get());
    }

    pub(super) fn owner(&mut self, owner: OwnerId) {
        self.u64(owner.get());
    }

    pub(super) fn fence(&mut self, fence: Fence) {
        self.u64(fence.get());
    }

    #[inline]
    pub(super) fn token(&mut self, token: Token) {
        self.fixed(&token.to_bytes());
    }

    #[inline]
    pub(super) fn limit(&mut self, limit: Limit) {
        self.u32(limit.get());
    }

    /// A time that may not become shorter on its way: what a client asks for.
    #[inline]
    pub(super) fn at_least(&mut self, time: Duration) {
        self.millis(time.as_nanos().div_ceil(NANOS_PER_MILLI));
    }

    /// A time that may not become longer on its way: what a server promises, or has seen.
    #[inline]
    pub(super) fn at_most(&mut self, time: Duration) {
        self.millis(time.as_millis());
    }

    #[inline]
    fn millis(&mut self, number: u128) {
        self.u64(u64::try_from(number).unwrap_or(u64::MAX));
    }

    /// Bytes behind their length.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        match u16::try_from(bytes.len()) {
            Ok(len) => {
                self.u16(len);
                self.fixed(bytes);
            }
            Err(_) => self.fits = false,
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    #[inline]
    pub(super) fn key(&mut self, key: Key<'_>) {
        self.u8(number::of_space(key.space()));
        self.bytes(key.name());
    }

    /// A flag, and the value behind it if there is one.
    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Fields behind the length of them all, so that later versions can add some.
    pub(super) fn record(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        self.u16(0);
        let fields = self.out.len();
        write(self);
        match u16::try_from(self.out.len() - fields) {
            Ok(len) => self.out[start..fields].copy_from_slice(&len.to_be_bytes()),
            Err(_) => self.fits = false,
        }
    }

    /// A record, which is empty when there is no value.
    pub(super) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.record(|writer| {
            if let Some(value) = value {
                write(writer, value);
            }
        });
    }

    /// Records behind their number.
    pub(super) fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        match u16::try_from(values.len()) {
            Ok(len) => self.u16(len),
            Err(_) => self.fits = false,
        }
        for value in values {
            self.record(|writer| write(writer, value));
        }
    }
}

const NANOS_PER_MILLI: u128 = 1_000_000;
