//! The fence counter on disk.
//!
//! Fences are reserved in ranges: the end of a range is on disk before its first fence is used, so the hot path never
//! touches the disk and a crash skips what was left of a range but never repeats any of it. The file has a fixed size and
//! is written in place, so it can be brought up to date on a full disk too.

mod record;

use crate::clock::Clock;
use crate::{Config, Error, State};
use record::{RECORD_LEN, decode, encode};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tenure_core::{Fence, FenceRange};

/// How many fences one write makes available. At a million grants a second that is a write every sixteen seconds, and
/// 2^63 fences are enough for half a million million restarts.
pub(crate) const FENCE_RANGE: u64 = 1 << 24;
/// No fence reaches this, so a signed 64-bit column holds every one.
pub(crate) const FENCE_MAX: u64 = 1 << 63;
const FILE_NAME: &str = "fences";

/// The fence counter, on disk or nowhere.
#[derive(Debug)]
pub(crate) struct FenceStore {
    file: Option<Arc<File>>,
    path: PathBuf,
}

impl FenceStore {
    /// Opens the counter and reserves the first range.
    pub(crate) fn open(config: &Config, listening: SocketAddr) -> Result<(Self, FenceRange), Error> {
        let Some(folder) = folder(&config.state, listening) else {
            let first = Clock::wall_nanos().clamp(1, FENCE_MAX);
            return Ok((
                Self { file: None, path: PathBuf::new() },
                FenceRange::new(Fence::new(first), Fence::new(FENCE_MAX)),
            ));
        };
        let path = folder.join(FILE_NAME);
        let failed = |source| Error::State { path: path.clone(), source };
        let file = open(&folder, &path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::StateInUse { path }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let first =
            first_fence(&file).map_err(failed)?.ok_or_else(|| Error::StateDamaged { path: path.clone() })?;
        let store = Self { file: Some(Arc::new(file)), path: path.clone() };
        let end = range_end(first);
        store.reserve(end).map_err(failed)?;
        Ok((store, FenceRange::new(Fence::new(first), Fence::new(end))))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| self.path.as_path())
    }

    /// Makes every fence below `end` available. It waits for the disk.
    pub(crate) fn reserve(&self, end: u64) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let record = encode(end);
        // The copies are written one after the other, each on disk before the next is touched: whatever happens, one of
        // them is whole, and no lower than what was promised.
        for copy in 0..record::COPIES {
            file.write_all_at(&record, copy * RECORD_LEN as u64)?;
            file.sync_data()?;
        }
        Ok(())
    }
}

/// The end of a range that starts at `first`.
pub(crate) fn range_end(first: u64) -> u64 {
    first.saturating_add(FENCE_RANGE).min(FENCE_MAX)
}

fn folder(state: &State, listening: SocketAddr) -> Option<PathBuf> {
    match state {
        State::InMemory => None,
        State::Dir(folder) => Some(folder.clone()),
        State::Under(base) => Some(base.join(format!("{}_{}", listening.ip(), listening.port()))),
    }
}

fn open(folder: &Path, path: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// The first fence that was never promised; `None` when the file is damaged.
fn first_fence(file: &File) -> io::Result<Option<u64>> {
    let mut bytes = [0; RECORD_LEN * record::COPIES as usize];
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    let copies = bytes[..read].chunks(RECORD_LEN).filter_map(decode);
    Ok(match copies.max() {
        Some(end) => Some(end),
        // A file that was never written whole has promised nothing. It starts at the wall clock, which is above whatever a
        // counter that was lost, or kept in memory, has given out.
        None if bytes[..read].iter().all(|byte| *byte == 0) => Some(Clock::wall_nanos().clamp(1, FENCE_MAX)),
        None if read < RECORD_LEN => Some(Clock::wall_nanos().clamp(1, FENCE_MAX)),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 6388))
    }

    fn config(folder: &Path) -> Config {
        Config { state: State::Dir(folder.to_owned()), ..Config::default() }
    }

    fn open_at(folder: &Path) -> Result<u64, Error> {
        FenceStore::open(&config(folder), address())
            .map(|(_, mut range)| range.take().expect("a full range").get())
    }

    #[test]
    fn a_restart_starts_above_everything_promised_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, mut range) = FenceStore::open(&config(folder.path()), address()).expect("fresh");
        let first = range.take().expect("a full range").get();
        store.reserve(first + 5 * FENCE_RANGE).expect("a disk");
        drop(store);
        assert_eq!(open_at(folder.path()).expect("again"), first + 5 * FENCE_RANGE);
    }

    #[test]
    fn a_second_daemon_on_one_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = FenceStore::open(&config(folder.path()), address()).expect("fresh");
        assert!(matches!(open_at(folder.path()), Err(Error::StateInUse { .. })));
        drop(first);
        assert!(open_at(folder.path()).is_ok());
    }

    #[test]
    fn any_one_damaged_byte_is_survived_and_fences_do_not_fall() {
        let folder = tempfile::tempdir().expect("a folder");
        let promised = open_at(folder.path()).expect("fresh") + FENCE_RANGE;
        let path = folder.path().join(FILE_NAME);
        let whole = std::fs::read(&path).expect("the file");
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x40;
            std::fs::write(&path, &bytes).expect("a disk");
            let file = File::open(&path).expect("the file");
            assert_eq!(first_fence(&file).expect("readable"), Some(promised), "byte {place}");
        }
    }

    #[test]
    fn a_write_torn_anywhere_leaves_the_old_or_the_new_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE_NAME);
        let (old, new) = (encode(1_000), encode(2_000));
        let before = [&old[..], &old[..]].concat();
        let after = [&new[..], &new[..]].concat();
        for torn in 0..=before.len() {
            std::fs::write(&path, [&after[..torn], &before[torn..]].concat()).expect("a disk");
            let end = first_fence(&File::open(&path).expect("the file")).expect("readable");
            let promised = if torn == before.len() { 2_000 } else { 1_000 };
            assert!(end.is_some_and(|end| end >= promised), "torn at {torn}: {end:?}");
        }
    }

    #[test]
    fn a_file_that_is_damaged_in_every_copy_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        open_at(folder.path()).expect("fresh");
        std::fs::write(folder.path().join(FILE_NAME), [7; 2 * RECORD_LEN]).expect("a disk");
        assert!(matches!(open_at(folder.path()), Err(Error::StateDamaged { .. })));
    }

    #[test]
    fn each_address_has_a_folder_of_its_own_by_default() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { state: State::Under(folder.path().to_owned()), ..Config::default() };
        let _first = FenceStore::open(&config, address()).expect("fresh");
        assert!(folder.path().join("127.0.0.1_6388").join(FILE_NAME).exists());
        assert!(FenceStore::open(&config, SocketAddr::from(([127, 0, 0, 1], 6389))).is_ok());
    }
}
