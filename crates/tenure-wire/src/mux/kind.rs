//! The kinds of frames. Requests, responses and pushes have ranges of their own.

/// What a client asks.
pub(super) mod request {
    pub(in super::super) const HELLO: u8 = 0x01;
    pub(in super::super) const PING: u8 = 0x02;
    pub(in super::super) const ENQUEUE: u8 = 0x03;
    pub(in super::super) const RESUME: u8 = 0x04;
    pub(in super::super) const CANCEL: u8 = 0x05;
    pub(in super::super) const RELEASE: u8 = 0x06;
    pub(in super::super) const RELEASE_TOKEN: u8 = 0x07;
    pub(in super::super) const RENEW: u8 = 0x08;
    pub(in super::super) const POSITION: u8 = 0x09;
    pub(in super::super) const FOLLOW: u8 = 0x0a;
    pub(in super::super) const INSPECT: u8 = 0x0b;
    pub(in super::super) const LIST: u8 = 0x0c;
    pub(in super::super) const WATCH: u8 = 0x0d;
    pub(in super::super) const UNWATCH: u8 = 0x0e;
    pub(in super::super) const STEAL: u8 = 0x0f;
    pub(in super::super) const SIGNAL: u8 = 0x10;
    pub(in super::super) const LISTEN: u8 = 0x11;
    pub(in super::super) const UNLISTEN: u8 = 0x12;
    pub(in super::super) const INFO: u8 = 0x13;
}

/// What a server answers.
pub(super) mod response {
    pub(in super::super) const WELCOME: u8 = 0x81;
    pub(in super::super) const PONG: u8 = 0x82;
    pub(in super::super) const DONE: u8 = 0x83;
    pub(in super::super) const GRANTED: u8 = 0x84;
    pub(in super::super) const QUEUED: u8 = 0x85;
    pub(in super::super) const BUSY: u8 = 0x86;
    pub(in super::super) const GONE: u8 = 0x87;
    pub(in super::super) const RENEWED: u8 = 0x88;
    pub(in super::super) const RELEASED: u8 = 0x89;
    pub(in super::super) const COUNT: u8 = 0x8a;
    pub(in super::super) const INSPECTION: u8 = 0x8b;
    pub(in super::super) const PAGE: u8 = 0x8c;
    pub(in super::super) const INFO: u8 = 0x8d;
    pub(in super::super) const REFUSED: u8 = 0x8e;
}

/// What a server says without having been asked. Kinds from [`push::FIRST`] on are pushes, known or not.
pub(super) mod push {
    pub(in super::super) const FIRST: u8 = 0xc0;
    pub(in super::super) const GRANTED: u8 = 0xc1;
    pub(in super::super) const LOST: u8 = 0xc2;
    pub(in super::super) const POSITION: u8 = 0xc3;
    pub(in super::super) const SIGNAL: u8 = 0xc4;
    pub(in super::super) const CHANGED: u8 = 0xc5;
    pub(in super::super) const MISSED: u8 = 0xc6;
    pub(in super::super) const DRAINING: u8 = 0xc7;
    pub(in super::super) const PING: u8 = 0xc8;
}
