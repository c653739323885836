//! A key for people.

use tenure_core::{Ending, Inspection, Note, OwnerId, Space};

use crate::{say, space, span, table};

/// What there is to say about a key of this name, as tables.
pub(super) fn tables(space: Space, name: &[u8], key: &Inspection) -> Vec<String> {
    let mut tables = vec![format!("{}\n", title(space, name, key))];
    if !key.holders.is_empty() {
        tables.push(holders(key));
    }
    if !key.waiters.is_empty() {
        tables.push(waiters(key));
    }
    if !key.past.is_empty() {
        tables.push(past(key));
    }
    tables
}

fn title(space: Space, name: &[u8], key: &Inspection) -> String {
    let state = match (key.holders_len, space) {
        (0, _) => "free".to_owned(),
        (1, Space::Lock) => "held".to_owned(),
        (holders, Space::Lock | Space::Semaphore) => {
            format!("{} of {} permits held by {holders}", key.held, key.limit.get())
        }
        (_, Space::RwLock) if key.held == key.limit.get() => "held by a writer".to_owned(),
        (1, Space::RwLock) => "held by a reader".to_owned(),
        (readers, Space::RwLock) => format!("held by {readers} readers"),
    };
    let waiting = if key.queue_len == 0 { String::new() } else { format!(", {} waiting", key.queue_len) };
    format!("{} \"{}\": {state}{waiting}", space::name(space), say::shown(name))
}

fn holders(key: &Inspection) -> String {
    const HEADER: [&str; 7] = ["HOLDER", "HOST", "PROCESS", "PERMITS", "FENCE", "HELD FOR", "TIME LEFT"];
    let rows = key.holders.iter().map(|holder| {
        let [label, host, pid] = who(holder.note.as_deref(), holder.owner);
        let [since, left] = [holder.since, holder.remaining].map(|time| span::shown(time.as_secs_f64()));
        let permits = permits(holder.permits, key);
        [label, host, pid, permits, holder.fence.to_string(), since, left]
    });
    let untold = untold(key.holders_len, key.holders.len());
    table::format(HEADER, rows) + &untold
}

fn waiters(key: &Inspection) -> String {
    const HEADER: [&str; 5] = ["WAITER", "HOST", "PROCESS", "PERMITS", "WAITING FOR"];
    let rows = key.waiters.iter().map(|waiter| {
        let [label, host, pid] = who(waiter.note.as_deref(), waiter.owner);
        [label, host, pid, permits(waiter.permits, key), span::shown(waiter.since.as_secs_f64())]
    });
    let untold = untold(key.queue_len, key.waiters.len());
    table::format(HEADER, rows) + &untold
}

fn past(key: &Inspection) -> String {
    const HEADER: [&str; 6] = ["FORMER HOLDER", "HOST", "PROCESS", "FENCE", "HELD FOR", "ENDED"];
    let rows = key.past.iter().map(|past| {
        let [label, host, pid] = who(past.note.as_deref(), past.owner);
        let [held_for, ago] = [past.held_for, past.ago].map(|time| span::shown(time.as_secs_f64()));
        let ended = format!("{ago} ago, {}", ending(past.ending));
        [label, host, pid, past.fence.to_string(), held_for, ended]
    });
    table::format(HEADER, rows)
}

/// What an owner calls itself, where it runs, and which process it is.
fn who(note: Option<&Note>, owner: OwnerId) -> [String; 3] {
    let label = note.map(|note| &*note.label).filter(|label| !label.is_empty());
    let host = note.map(|note| &*note.host).filter(|host| !host.is_empty());
    let pid = note.map(|note| note.pid).filter(|pid| *pid != 0);
    [
        label.map_or_else(|| format!("connection {}", owner.get()), |label| table::name(label.as_bytes())),
        host.map_or_else(|| "-".to_owned(), |host| table::name(host.as_bytes())),
        pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
    ]
}

/// How many permits, in words where all of them are meant.
fn permits(permits: u32, key: &Inspection) -> String {
    if permits == key.limit.get() && permits > 1 { "all".to_owned() } else { permits.to_string() }
}

/// A line for those who are not told.
fn untold(all: u32, told: usize) -> String {
    match (all as usize).saturating_sub(told) {
        0 => String::new(),
        more => format!("and {more} more\n"),
    }
}

/// How a grant ended, in a word.
pub(crate) const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Released => "released",
        Ending::Lapsed => "lapsed",
        Ending::Disconnected => "disconnected",
        Ending::Stolen => "stolen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;
    use tenure_core::{Fence, HolderInfo, Limit, PastInfo, WaiterInfo};

    fn note(label: &str, host: &str, pid: u32) -> Option<Arc<Note>> {
        Some(Arc::new(Note { label: label.into(), host: host.into(), pid }))
    }

    fn holder(fence: u64, permits: u32) -> HolderInfo {
        HolderInfo {
            fence: Fence::new(fence),
            permits,
            since: Duration::from_secs(12),
            remaining: Duration::from_millis(18_040),
            owner: OwnerId::new(7),
            note: note("nightly", "host-1", 4711),
        }
    }

    fn waiter(permits: u32) -> WaiterInfo {
        WaiterInfo { permits, since: Duration::from_secs(75), owner: OwnerId::new(8), note: None }
    }

    fn key(limit: u32, holders: Vec<HolderInfo>, waiters: Vec<WaiterInfo>) -> Inspection {
        Inspection {
            limit: Limit::new(limit).expect("a limit"),
            held: holders.iter().map(|holder| holder.permits).sum(),
            holders_len: holders.len() as u32,
            queue_len: waiters.len() as u32,
            holders,
            waiters,
            past: Vec::new(),
        }
    }

    #[test]
    fn a_lock_is_shown_with_who_holds_it_who_waits_and_who_held_it() {
        let past = PastInfo {
            fence: Fence::new(16),
            held_for: Duration::from_secs(90),
            ago: Duration::from_secs(12),
            ending: Ending::Lapsed,
            owner: OwnerId::new(3),
            note: note("", "host-2", 0),
        };
        let key = Inspection { past: vec![past], ..key(1, vec![holder(17, 1)], vec![waiter(1)]) };
        let expected = "\
lock \"db\": held, 1 waiting

HOLDER   HOST    PROCESS  PERMITS  FENCE  HELD FOR  TIME LEFT
nightly  host-1  4711     1        17     12.0s     18.0s

WAITER        HOST  PROCESS  PERMITS  WAITING FOR
connection 8  -     -        1        1m 15s

FORMER HOLDER  HOST    PROCESS  FENCE  HELD FOR  ENDED
connection 3   host-2  -        16     1m 30s    12.0s ago, lapsed
";
        assert_eq!(tables(Space::Lock, b"db", &key).join("\n"), expected);
    }

    #[test]
    fn a_title_counts_as_the_name_space_does() {
        let title = |space, key: &Inspection| title(space, b"k", key);
        let five = key(5, vec![holder(1, 1), holder(2, 2)], vec![]);
        assert_eq!(title(Space::Semaphore, &five), "semaphore \"k\": 3 of 5 permits held by 2");
        assert_eq!(title(Space::Lock, &key(1, vec![], vec![])), "lock \"k\": free");
        let all = u32::MAX;
        let writer = key(all, vec![holder(1, all)], vec![waiter(1), waiter(all)]);
        assert_eq!(title(Space::RwLock, &writer), "rwlock \"k\": held by a writer, 2 waiting");
        assert!(waiters(&writer).contains("all"));
        let readers = key(all, vec![holder(1, 1), holder(2, 1)], vec![]);
        assert_eq!(title(Space::RwLock, &readers), "rwlock \"k\": held by 2 readers");
    }

    #[test]
    fn those_who_are_not_told_are_counted() {
        let crowd = Inspection { holders_len: 70, ..key(100, vec![holder(1, 1)], vec![]) };
        assert!(holders(&crowd).ends_with("and 69 more\n"));
    }
}
