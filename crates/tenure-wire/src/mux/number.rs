//! The numbers that stand for words.

use super::{BadFrame, Patience, RefusedCode};
use tenure_core::{Bond, Ending, Space};

pub(super) const fn of_space(space: Space) -> u8 {
    match space {
        Space::Lock => 0,
        Space::Semaphore => 1,
        Space::RwLock => 2,
    }
}

pub(super) const fn space(number: u8) -> Result<Space, BadFrame> {
    match number {
        0 => Ok(Space::Lock),
        1 => Ok(Space::Semaphore),
        2 => Ok(Space::RwLock),
        _ => Err(BadFrame::Malformed("there is no such name space")),
    }
}

/// The bond of the line protocol has a number so that it is refused, and not taken for another one.
pub(super) const fn of_bond(bond: Bond) -> u8 {
    match bond {
        Bond::Connection => 0,
        Bond::Resumable => 1,
        Bond::Lease => u8::MAX,
    }
}

pub(super) const fn bond(number: u8) -> Result<Bond, BadFrame> {
    match number {
        0 => Ok(Bond::Connection),
        1 => Ok(Bond::Resumable),
        _ => Err(BadFrame::Malformed("a claim is bound to its connection or resumable")),
    }
}

pub(super) const fn of_patience(patience: Patience) -> u8 {
    match patience {
        Patience::None => 0,
        Patience::Endless => 1,
    }
}

pub(super) const fn patience(number: u8) -> Result<Patience, BadFrame> {
    match number {
        0 => Ok(Patience::None),
        1 => Ok(Patience::Endless),
        _ => Err(BadFrame::Malformed("a claim has no patience or endless patience")),
    }
}

pub(super) const fn of_ending(ending: Ending) -> u8 {
    match ending {
        Ending::Released => 0,
        Ending::Lapsed => 1,
        Ending::Disconnected => 2,
        Ending::Stolen => 3,
    }
}

pub(super) const fn ending(number: u8) -> Result<Ending, BadFrame> {
    match number {
        0 => Ok(Ending::Released),
        1 => Ok(Ending::Lapsed),
        2 => Ok(Ending::Disconnected),
        3 => Ok(Ending::Stolen),
        _ => Err(BadFrame::Malformed("a grant does not end in such a way")),
    }
}

pub(super) const fn of_code(code: RefusedCode) -> u16 {
    match code {
        RefusedCode::Invalid => 1,
        RefusedCode::LimitMismatch => 2,
        RefusedCode::QueuesFull => 3,
        RefusedCode::ClaimsFull => 4,
        RefusedCode::WaitersFull => 5,
        RefusedCode::Conflict => 6,
        RefusedCode::NoFence => 7,
        RefusedCode::Denied => 8,
        RefusedCode::Unsupported => 9,
        RefusedCode::Draining => 10,
        RefusedCode::SubscriptionsFull => 11,
        RefusedCode::Superseded => 12,
        RefusedCode::Unknown(number) => number,
    }
}

pub(super) const fn code(number: u16) -> RefusedCode {
    match number {
        1 => RefusedCode::Invalid,
        2 => RefusedCode::LimitMismatch,
        3 => RefusedCode::QueuesFull,
        4 => RefusedCode::ClaimsFull,
        5 => RefusedCode::WaitersFull,
        6 => RefusedCode::Conflict,
        7 => RefusedCode::NoFence,
        8 => RefusedCode::Denied,
        9 => RefusedCode::Unsupported,
        10 => RefusedCode::Draining,
        11 => RefusedCode::SubscriptionsFull,
        12 => RefusedCode::Superseded,
        unknown => RefusedCode::Unknown(unknown),
    }
}
