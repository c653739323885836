//! The multiplexed protocol: its messages in bytes, its page, and any bytes, cut anywhere.

mod any;
mod bytes;
mod limits;
mod messages;
mod page;
mod said;
mod vectors;
