//! Buffers that belong to the thread: a connection has them only while it runs, so thousands of idle ones have none.

use super::output::Output;
use std::cell::RefCell;
use std::mem::take;

/// What one read can bring: several hundred requests.
const INPUT_LEN: usize = 32 * 1024;
/// A buffer that grew beyond this for a long answer is not kept.
const OUTPUT_KEPT: usize = 64 * 1024;

thread_local! {
    static INPUT: RefCell<Box<[u8]>> = RefCell::new(vec![0; INPUT_LEN].into_boxed_slice());
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends the thread's input buffer.
pub(super) fn with_input<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    INPUT.with_borrow_mut(|buffer| read(buffer))
}

/// Gives a connection that has nothing to send the thread's output buffer.
pub(super) fn lend_output(output: &mut Output) {
    if output.is_empty() {
        OUTPUT.with_borrow_mut(|buffer| *output.buffer() = take(buffer));
    }
}

/// Takes the output buffer back. A connection that has something left to send keeps that, and no more room than for that:
/// thousands may have a peer that does not take it.
pub(super) fn take_output(output: &mut Output) {
    let buffer = output.give_back();
    OUTPUT.with_borrow_mut(|kept| {
        if (kept.capacity() + 1..=OUTPUT_KEPT).contains(&buffer.capacity()) {
            *kept = buffer;
        }
    });
}
