//! One copy of the counter: a mark, the end of the last range, a checksum, padded to what a disk writes whole.

/// How many copies the file has.
pub(super) const COPIES: u64 = 2;
/// The length of a copy: a sector, so that a torn write spoils one copy at most.
pub(super) const RECORD_LEN: usize = 512;
const MARK: &[u8; 8] = b"tenure\0\x01";

pub(super) fn encode(end: u64) -> [u8; RECORD_LEN] {
    let mut record = [0; RECORD_LEN];
    record[..8].copy_from_slice(MARK);
    record[8..16].copy_from_slice(&end.to_be_bytes());
    let sum = crc32fast::hash(&record[..16]);
    record[16..20].copy_from_slice(&sum.to_be_bytes());
    record
}

/// The end of the last range; `None` when the copy is not whole.
pub(super) fn decode(record: &[u8]) -> Option<u64> {
    let (head, rest) = record.split_at_checked(16)?;
    let sum = u32::from_be_bytes(*rest.first_chunk()?);
    let end = u64::from_be_bytes(*head.last_chunk()?);
    (head.starts_with(MARK) && sum == crc32fast::hash(head)).then_some(end)
}
