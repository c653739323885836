//! What either side says, as one type.

use tenure_wire::mux::{
    BadFrame, Frame, Message, Push, Request, RequestId, Response, TooLong, decode_message, decode_request,
    encode_push, encode_request, encode_response,
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said<'a> {
    Request(RequestId, Request<'a>),
    Response(RequestId, Response<'a>),
    Push(Push<'a>),
    /// A push of a kind that nobody knows.
    Unknown,
}

impl<'a> Said<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            Said::Request(id, request) => encode_request(out, *id, request),
            Said::Response(id, response) => encode_response(out, *id, response),
            Said::Push(push) => encode_push(out, push),
            Said::Unknown => Ok(()),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes).expect("it fits");
        bytes
    }

    pub(crate) fn decode(frame: &Frame<'a>) -> Result<Self, BadFrame> {
        if frame.kind < 0x80 {
            return decode_request(frame).map(|request| Said::Request(frame.id, request));
        }
        Ok(match decode_message(frame)? {
            Message::Response(id, response) => Said::Response(id, response),
            Message::Push(push) => Said::Push(push),
            Message::Unknown => Said::Unknown,
        })
    }

    pub(crate) fn is_from_client(&self) -> bool {
        matches!(self, Said::Request(..))
    }
}
