//! Every example as people run it: real processes, and a real daemon where several of them meet.
#![allow(clippy::panic, reason = "a test stops at what it did not expect")]

mod cron_once;
mod fenced_write;
mod leader;
mod readme;
mod resume;
mod retry_with_backoff;
mod support;
mod two_phase;
mod worker_pool;
