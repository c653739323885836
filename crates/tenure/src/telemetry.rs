//! What monitoring sees. It costs next to nothing where nobody looks: what takes time is done only when somebody asks.

use crate::coordinator::{Claim, Renewal, Renewed};
use crate::{Clock, Instant, Loss};
use metrics::{IntoF64, counter, histogram};
use std::fmt;
use std::time::Duration;
use tenure_core::{ClaimId, Fence};
use tracing::{Level, Span, enabled};

/// The span of asking for a claim.
pub(crate) fn asking(claim: &Claim) -> Span {
    if !enabled!(Level::DEBUG) {
        return Span::none();
    }
    tracing::debug_span!("acquire", key = %Name(claim), claim = %Short(claim.id()))
}

/// The span of waiting in line.
pub(crate) fn waiting(claim: &Claim) -> Span {
    if !enabled!(Level::DEBUG) {
        return Span::none();
    }
    tracing::debug_span!("wait", key = %Name(claim), claim = %Short(claim.id()))
}

/// It stands in line.
pub(crate) fn queued(claim: &Claim, position: u32) {
    tracing::debug!(key = %Name(claim), claim = %Short(claim.id()), position, "waits in line");
    histogram!("tenure_queue_position").record(f64::from(position));
}

/// It is granted, and its owner gets its guard.
pub(crate) fn acquired(claim: &Claim, fence: Fence, waited: Duration) {
    tracing::debug!(key = %Name(claim), claim = %Short(claim.id()), %fence, ?waited, "acquired");
    histogram!("tenure_wait_seconds").record(waited.as_secs_f64());
}

/// Leases have started anew, or not.
pub(crate) fn renewed(renewals: &[Renewal], took: Duration) {
    if !enabled!(Level::DEBUG) {
        return;
    }
    let well = |renewal: &&Renewal| matches!(renewal.outcome, Some(Ok(Renewed::From { .. })));
    tracing::debug!(
        claims = renewals.len(),
        renewed = renewals.iter().filter(well).count(),
        ?took,
        "renewed"
    );
    for renewal in renewals.iter().filter(|renewal| !well(renewal)) {
        let claim = &*renewal.claim;
        tracing::debug!(key = %Name(claim), claim = %Short(claim.id()), outcome = ?renewal.outcome, "not renewed");
    }
}

/// Its owner holds it no more, and has not given it back.
pub(crate) fn lost(claim: &Claim, fence: Fence, loss: &Loss) {
    tracing::warn!(key = %Name(claim), claim = %Short(claim.id()), %fence, cause = loss.as_str(), "lost: {loss}");
    counter!("tenure_lost_total", "cause" => loss.as_str()).increment(1);
}

/// Its owner gives it back.
pub(crate) fn released(claim: &Claim, fence: Fence, since: Instant) {
    tracing::debug!(key = %Name(claim), claim = %Short(claim.id()), %fence, "released");
    histogram!("tenure_hold_seconds").record(SinceThen(claim.clock(), since));
}

/// Seconds since then: the clock is read only when somebody wants to know.
struct SinceThen<'a>(&'a Clock, Instant);

impl IntoF64 for SinceThen<'_> {
    fn into_f64(self) -> f64 {
        self.0.now().since(self.1).as_secs_f64()
    }
}

/// The name of a key as people read it.
struct Name<'a>(&'a Claim);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.wanted().name.escape_ascii(), f)
    }
}

/// The beginning of an id: enough to tell claims apart, and too little to take one over.
pub(crate) struct Short(pub(crate) ClaimId);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0.get() >> 96)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_an_id_is_shown() {
        assert_eq!(Short(ClaimId::new(0x0123_4567_89ab_cdef << 64 | 7)).to_string(), "01234567");
    }
}
