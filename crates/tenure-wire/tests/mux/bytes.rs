//! Any bytes, and messages cut, changed and put together.

use crate::any;
use crate::said::Said;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::mem::size_of;
use std::sync::Arc;
use tenure_core::{Happened, HolderInfo, Inspection, Note, Observation, PastInfo, Summary, WaiterInfo};
use tenure_wire::mux::{BadFrame, FRAME_LEN_MAX, Frame, Framed, Push, Response, next_frame};

/// The most memory that reading takes for each byte of a frame.
const MEMORY_FOR_A_BYTE_MAX: usize = 32;

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was_and_nothing_before_it_is_touched(
        said in any::said(),
        before in vec(any::<u8>(), 0..20),
    ) {
        let mut bytes = before.clone();
        said.encode(&mut bytes).expect("it fits");
        prop_assert_eq!(&bytes[..before.len()], &before);
        let frame = whole(&bytes[before.len()..]);
        prop_assert_eq!(before.len() + frame.len, bytes.len());
        prop_assert_eq!(Said::decode(&frame), Ok(said));
    }

    #[test]
    fn what_stands_behind_the_last_field_is_skipped(said in any::said(), more in vec(any::<u8>(), 0..40)) {
        let mut bytes = said.to_bytes();
        bytes.extend_from_slice(&more);
        put_length(&mut bytes);
        prop_assert_eq!(Said::decode(&whole(&bytes)), Ok(said));
    }

    #[test]
    fn a_message_that_lacks_a_byte_is_none(said in any::said(), cut in any::<Index>()) {
        let mut bytes = said.to_bytes();
        if bytes.len() == HEAD_LEN {
            return Ok(());
        }
        bytes.truncate(HEAD_LEN + cut.index(bytes.len() - HEAD_LEN));
        put_length(&mut bytes);
        let verdict = Said::decode(&whole(&bytes));
        prop_assert!(matches!(verdict, Err(BadFrame::Malformed(_))), "{:?}", verdict);
    }

    #[test]
    fn a_stream_that_arrives_in_pieces_is_the_same_messages(
        said in vec(any::said(), 1..8),
        pieces in vec(1_usize..200, 1..20),
    ) {
        let stream: Vec<u8> = said.iter().flat_map(Said::to_bytes).collect();
        let (mut start, mut arrived, mut heard) = (0, 0, Vec::new());
        let mut pieces = pieces.iter().cycle();
        while arrived < stream.len() {
            arrived = (arrived + pieces.next().expect("a cycle")).min(stream.len());
            while let Framed::Whole(frame) = next_frame(&stream[start..arrived], FRAME_LEN_MAX) {
                heard.push(Said::decode(&frame).expect("a message"));
                start += frame.len;
            }
            prop_assert_eq!(next_frame(&stream[start..arrived], FRAME_LEN_MAX), Framed::Incomplete);
        }
        prop_assert_eq!(start, stream.len());
        prop_assert_eq!(heard, said);
    }

    #[test]
    fn more_bytes_never_change_what_was_decided(stream in vec(any::<u8>(), 0..40), cut in any::<Index>()) {
        let early = next_frame(&stream[..cut.index(stream.len() + 1)], 16);
        prop_assert!(early == Framed::Incomplete || early == next_frame(&stream, 16));
    }

    #[test]
    fn any_fields_of_any_kind_are_read_without_a_panic_and_in_little_memory(
        kind in any::<u8>(),
        id in any::<u32>(),
        body in vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..300),
    ) {
        check(&Frame { kind, id, body: &body, len: HEAD_LEN + body.len() })?;
    }

    #[test]
    fn a_message_that_was_changed_on_its_way_is_read_without_a_panic_and_in_little_memory(
        said in any::said(),
        changes in vec((any::<Index>(), any::<u8>(), 0..3), 1..8),
    ) {
        let mut bytes = said.to_bytes();
        for (at, byte, how) in changes {
            let at = 4 + at.index(bytes.len() - 4);
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ if bytes.len() > HEAD_LEN => drop(bytes.remove(at)),
                _ => {}
            }
        }
        put_length(&mut bytes);
        check(&whole(&bytes))?;
    }
}

/// The bytes of a frame before its fields.
const HEAD_LEN: usize = 9;

fn whole(bytes: &[u8]) -> Frame<'_> {
    let Framed::Whole(frame) = next_frame(bytes, FRAME_LEN_MAX) else {
        unreachable!("no whole frame: {bytes:02x?}")
    };
    frame
}

fn put_length(bytes: &mut [u8]) {
    let len = u32::try_from(bytes.len() - 4).expect("a short frame");
    bytes[..4].copy_from_slice(&len.to_be_bytes());
}

/// Whatever is understood can be said again, and has taken little memory.
fn check(frame: &Frame<'_>) -> Result<(), TestCaseError> {
    let Ok(said) = Said::decode(frame) else { return Ok(()) };
    let memory = memory(&said);
    prop_assert!(memory <= MEMORY_FOR_A_BYTE_MAX * frame.body.len(), "{} bytes for {:?}", memory, frame);
    if said != Said::Unknown {
        let again = said.to_bytes();
        prop_assert_eq!(Said::decode(&whole(&again)), Ok(said));
    }
    Ok(())
}

/// The memory that was allocated for a message.
fn memory(said: &Said<'_>) -> usize {
    match said {
        Said::Response(_, Response::Inspection(inspection)) => of_inspection(inspection),
        Said::Response(_, Response::Page { keys, .. }) => of_list(keys, |key: &Summary| {
            key.name.capacity() + key.holder.as_ref().map_or(0, |holder| of_note(holder.note.as_ref()))
        }),
        Said::Push(Push::Changed { observation, .. }) => of_observation(observation),
        Said::Request(..) | Said::Response(..) | Said::Push(_) | Said::Unknown => 0,
    }
}

fn of_inspection(inspection: &Inspection) -> usize {
    of_list(&inspection.holders, |holder: &HolderInfo| of_note(holder.note.as_ref()))
        + of_list(&inspection.waiters, |waiter: &WaiterInfo| of_note(waiter.note.as_ref()))
        + of_list(&inspection.past, |past: &PastInfo| of_note(past.note.as_ref()))
}

fn of_observation(observation: &Observation) -> usize {
    match &observation.happened {
        Happened::Granted { note, .. } => of_note(note.as_ref()),
        Happened::Ended { reason, .. } => ARC_LEN + reason.len(),
        Happened::Queue => 0,
    }
}

fn of_list<T>(list: &Vec<T>, inside: impl Fn(&T) -> usize) -> usize {
    list.capacity() * size_of::<T>() + list.iter().map(inside).sum::<usize>()
}

fn of_note(note: Option<&Arc<Note>>) -> usize {
    note.map_or(0, |note| ARC_LEN + size_of::<Note>() + note.label.len() + note.host.len())
}

/// What an `Arc` has beside its value.
const ARC_LEN: usize = 2 * size_of::<usize>();
