//! What happened, on a line.

use std::fmt;

use serde::Serialize;
use tenure::coordinator::Seen;
use tenure_core::{Fence, Happened, Note, Observation, Space};

use crate::show;
use crate::show::json::Told;
use crate::{say, space};

/// What happened. Fences are text in JSON, because that is what it has for numbers of 64 bits.
#[derive(Debug, Default, Serialize)]
pub(super) struct Event {
    space: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<String>,
    /// Who got it.
    #[serde(flatten)]
    told: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    now: Option<Now>,
}

/// How the key stands now.
#[derive(Debug, Serialize)]
struct Now {
    holders_len: u32,
    waiters_len: u32,
}

impl Event {
    /// What was seen of a key in that name space.
    pub(super) fn new(space: Space, seen: &Seen) -> Self {
        let event = if let Seen::Observed(observation) = seen {
            Self::observed(observation)
        } else {
            Self { event: "missed", ..Self::default() }
        };
        Self { space: space::name(space), ..event }
    }

    fn observed(observation: &Observation) -> Self {
        let now = Some(Now { holders_len: observation.holders_len, waiters_len: observation.queue_len });
        match &observation.happened {
            Happened::Granted { fence, note } => Self::granted(*fence, note.as_deref(), now),
            Happened::Ended { fence, ending, reason } => Self {
                event: show::ending(*ending),
                fence: Some(fence.to_string()),
                reason: Some(reason.to_string()).filter(|reason| !reason.is_empty()),
                now,
                ..Self::default()
            },
            Happened::Queue => Self { event: "queue", now, ..Self::default() },
        }
    }

    fn granted(fence: Fence, note: Option<&Note>, now: Option<Now>) -> Self {
        let (fence, told) = (Some(fence.to_string()), Some(Told::new(note)));
        Self { event: "granted", fence, told, now, ..Self::default() }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.space, self.event)?;
        if let Some(fence) = &self.fence {
            write!(f, " {fence}")?;
        }
        if let Some(told) = &self.told {
            write!(f, "{told}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " ({})", say::shown(reason.as_bytes()))?;
        }
        match &self.now {
            Some(now) => write!(f, ": {} holding, {} waiting", now.holders_len, now.waiters_len),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tenure_core::Ending;

    fn seen(happened: Happened) -> Event {
        Event::new(Space::Lock, &Seen::Observed(Observation { happened, holders_len: 1, queue_len: 2 }))
    }

    fn json(event: &Event) -> String {
        serde_json::to_string(event).expect("JSON")
    }

    #[test]
    fn a_grant_names_who_got_it() {
        let note = Note { label: "night\tly".into(), host: "host-1".into(), pid: 4711 };
        let event = seen(Happened::Granted { fence: Fence::new(17), note: Some(Arc::new(note)) });
        let text = "lock granted 17 to night\u{fffd}ly on host-1 (process 4711): 1 holding, 2 waiting";
        assert_eq!(event.to_string(), text);
        let expected =
            r#"{"space":"lock","event":"granted","fence":"17","label":"night\tly","host":"host-1","#;
        assert_eq!(json(&event), format!(r#"{expected}"pid":4711,"holders_len":1,"waiters_len":2}}"#));
        let unknown = seen(Happened::Granted { fence: Fence::new(17), note: None });
        assert_eq!(unknown.to_string(), "lock granted 17: 1 holding, 2 waiting");
    }

    #[test]
    fn an_end_says_how_and_why() {
        let ended = |ending, reason: &str| {
            seen(Happened::Ended { fence: Fence::new(17), ending, reason: Arc::from(reason) })
        };
        let stolen = ended(Ending::Stolen, "on fire");
        assert_eq!(stolen.to_string(), "lock stolen 17 (on fire): 1 holding, 2 waiting");
        assert!(json(&stolen).contains(r#""event":"stolen","fence":"17","reason":"on fire","#));
        assert_eq!(ended(Ending::Lapsed, "").to_string(), "lock lapsed 17: 1 holding, 2 waiting");
        assert_eq!(seen(Happened::Queue).to_string(), "lock queue: 1 holding, 2 waiting");
        assert_eq!(json(&Event::new(Space::RwLock, &Seen::Missed)), r#"{"space":"rwlock","event":"missed"}"#);
    }
}
