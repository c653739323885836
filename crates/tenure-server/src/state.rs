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
use std::io::{self, Read};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tenure_core::{Fence, FenceRange};

/// No fence reaches this, so a signed 64-bit column holds every one.
pub(crate) const FENCE_MAX: u64 = 1 << 63;
const FILE_NAME: &str = "fences";

/// The fence counter, on disk or nowhere.
#[derive(Debug)]
pub(crate) struct FenceStore {
    file: Option<File>,
    path: PathBuf,
    range: u64,
}

impl FenceStore {
    /// Opens the counter and reserves the first range.
    pub(crate) fn open(config: &Config, listening: SocketAddr) -> Result<(Self, FenceRange), Error> {
        let Some(folder) = folder(&config.state, listening) else {
            let store = Self { file: None, path: PathBuf::new(), range: FENCE_MAX };
            return Ok((store, FenceRange::new(Fence::new(first_of_all()), Fence::new(FENCE_MAX))));
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
        let store = Self { file: Some(file), path: path.clone(), range: config.fence_range.get() };
        let end = store.range_end(first);
        store.reserve(end).map_err(failed)?;
        Ok((store, FenceRange::new(Fence::new(first), Fence::new(end))))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| self.path.as_path())
    }

    /// Makes every fence below `end` available. It waits for the disk.
    pub(crate) fn reserve(&self, end: u64) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| write_copies(file, end))
    }

    /// The end of a range that starts at `first`.
    pub(crate) fn range_end(&self, first: u64) -> u64 {
        first.saturating_add(self.range).min(FENCE_MAX)
    }

    /// How many fences one write makes available.
    pub(crate) const fn range(&self) -> u64 {
        self.range
    }
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
    if !path.try_exists()? {
        create(folder, path)?;
    }
    OpenOptions::new().read(true).write(true).open(path)
}

/// Makes a counter that has promised nothing. It is whole before it has its name, so a file that is not whole is a damaged
/// one; and it takes the name only if nobody else has made one meanwhile.
///
/// It starts at the wall clock, which is above whatever a counter that was lost, or kept in memory, has given out.
fn create(folder: &Path, path: &Path) -> io::Result<()> {
    let draft = folder.join(format!("{FILE_NAME}.{}", std::process::id()));
    let written = write_draft(&draft).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    let removed = std::fs::remove_file(&draft);
    written.and(removed)?;
    File::open(folder)?.sync_all()
}

fn write_draft(draft: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    write_copies(&file, first_of_all())?;
    file.sync_all()
}

fn first_of_all() -> u64 {
    Clock::wall_nanos().clamp(1, FENCE_MAX)
}

/// Writes the copies one after the other, each on disk before the next is touched: whatever happens, one of them is whole,
/// and no lower than what was promised.
fn write_copies(file: &File, end: u64) -> io::Result<()> {
    let record = encode(end);
    for copy in 0..record::COPIES {
        file.write_all_at(&record, copy * RECORD_LEN as u64)?;
        file.sync_data()?;
    }
    Ok(())
}

/// The first fence that was never promised; `None` when no copy is whole.
fn first_fence(file: &File) -> io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    file.take(record::COPIES * RECORD_LEN as u64).read_to_end(&mut bytes)?;
    Ok(bytes.chunks(RECORD_LEN).filter_map(decode).max())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> u64 {
        Config::default().fence_range.get()
    }

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
        let (store, mut fences) = FenceStore::open(&config(folder.path()), address()).expect("fresh");
        let first = fences.take().expect("a full range").get();
        store.reserve(first + 5 * range()).expect("a disk");
        drop(store);
        assert_eq!(open_at(folder.path()).expect("again"), first + 5 * range());
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
        let promised = open_at(folder.path()).expect("fresh") + range();
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
    fn a_file_without_a_whole_copy_is_refused_and_not_taken_for_a_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        open_at(folder.path()).expect("fresh");
        for damaged in [&[7; 2 * RECORD_LEN][..], &[0; 2 * RECORD_LEN], &[0; 100], &[]] {
            std::fs::write(folder.path().join(FILE_NAME), damaged).expect("a disk");
            assert!(
                matches!(open_at(folder.path()), Err(Error::StateDamaged { .. })),
                "{} bytes",
                damaged.len()
            );
        }
    }

    #[test]
    fn a_file_that_lost_its_second_copy_is_taken_at_the_word_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let promised = open_at(folder.path()).expect("fresh") + range();
        let path = folder.path().join(FILE_NAME);
        let whole = std::fs::read(&path).expect("the file");
        std::fs::write(&path, &whole[..RECORD_LEN]).expect("a disk");
        assert_eq!(open_at(folder.path()).expect("one copy"), promised);
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
