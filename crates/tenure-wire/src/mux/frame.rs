//! Where one frame ends and the next begins.

use super::RequestId;

/// The bytes of the length field.
pub(super) const LENGTH_LEN: usize = 4;

/// The byte of the kind.
pub(super) const KIND_LEN: usize = 1;

/// The bytes that every frame has behind its length: a kind and the number of a request.
const HEAD_LEN: usize = KIND_LEN + size_of::<RequestId>();

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed<'a> {
    /// Not all of a frame is there yet.
    Incomplete,
    /// The frame announces more bytes than it may have. None of them need to be there.
    TooLong {
        /// How many it announces, its length field not counted.
        len: usize,
    },
    /// The frame announces fewer bytes than every frame has: whoever sends that speaks something else.
    Malformed,
    /// A frame.
    Whole(Frame<'a>),
}

/// One frame, its fields not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it says.
    pub kind: u8,
    /// The number of the request; zero in a push.
    pub id: RequestId,
    /// The fields.
    pub body: &'a [u8],
    /// The bytes of the whole frame, its length field counted. The next frame begins after so many.
    pub len: usize,
}

/// Finds the frame at the start of `bytes`. A frame may have `len_max` bytes, its length field not counted.
///
/// ```
/// use tenure_wire::mux::{FRAME_LEN_MAX, Framed, Request, decode_request, encode_request, next_frame};
///
/// let mut bytes = Vec::new();
/// encode_request(&mut bytes, 7, &Request::Ping)?;
/// assert_eq!(next_frame(&bytes[..8], FRAME_LEN_MAX), Framed::Incomplete);
///
/// let Framed::Whole(frame) = next_frame(&bytes, FRAME_LEN_MAX) else { unreachable!() };
/// assert_eq!((frame.id, frame.len), (7, bytes.len()));
/// assert_eq!(decode_request(&frame), Ok(Request::Ping));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
#[inline]
pub fn next_frame(bytes: &[u8], len_max: usize) -> Framed<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_LEN>() else { return Framed::Incomplete };
    // A length that does not fit is longer than any limit, too.
    let len = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if len > len_max {
        return Framed::TooLong { len };
    }
    if len < HEAD_LEN {
        return Framed::Malformed;
    }
    let Some(([kind, id @ ..], body)) = rest.get(..len).and_then(<[u8]>::split_first_chunk::<HEAD_LEN>)
    else {
        return Framed::Incomplete;
    };
    Framed::Whole(Frame { kind: *kind, id: RequestId::from_be_bytes(*id), body, len: LENGTH_LEN + len })
}
