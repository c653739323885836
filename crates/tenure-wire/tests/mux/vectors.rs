//! The vectors that other languages are tested with.

use crate::messages::messages;
use crate::page::{self, Page};
use crate::said::Said;
use std::collections::HashSet;
use tenure_wire::mux::{FRAME_LEN_MAX, Framed, PREFACE, next_frame};

const VECTORS: &str = include_str!("../vectors/mux.txt");

#[test]
fn every_message_is_the_bytes_of_its_vector_and_they_are_described_as_the_page_has_it() {
    let page = Page::read();
    let mut blocks = vectors();
    for (name, said) in messages() {
        let expected = blocks.next().unwrap_or_default();
        let bytes = said.to_bytes();
        let sign = if said.is_from_client() { '>' } else { '<' };
        let block = format!("{sign} {}: {name}\n{}", page.name_of(bytes[4]), page.describe(&bytes));
        assert_eq!(block.trim_end(), expected.trim_end(), "not what is in vectors/mux.txt:\n{block}");
    }
    assert_eq!(blocks.next(), None, "a vector without a message");
}

#[test]
fn the_bytes_of_every_vector_are_its_message() {
    let blocks: Vec<(char, Vec<u8>)> = vectors().filter_map(page::parse_frame).collect();
    assert_eq!(blocks.len(), messages().len());
    for ((sign, bytes), (name, said)) in blocks.iter().zip(messages()) {
        assert_eq!(*sign == '>', said.is_from_client(), "{name}");
        assert_eq!(decode(bytes), said, "{name}");
    }
}

#[test]
fn there_is_a_vector_of_every_kind_on_the_page() {
    let there: HashSet<u8> = messages().iter().map(|(_, said)| said.to_bytes()[4]).collect();
    let missing: Vec<_> = Page::read().kinds().filter(|(kind, _)| !there.contains(kind)).collect();
    assert_eq!(missing, []);
    assert_eq!(Page::read().kinds().count(), there.len());
}

#[test]
fn the_conversation_on_the_page_is_made_of_vectors() {
    let known: HashSet<(char, Vec<u8>)> = vectors().filter_map(page::parse_frame).collect();
    let mut said = page::conversation().into_iter();
    assert_eq!(said.next(), Some(('>', PREFACE.to_vec())));
    let mut frames = 0;
    for frame in said {
        assert!(known.contains(&frame), "{:?} says on the page: {:02x?}", frame.0, frame.1);
        frames += 1;
    }
    assert!(frames >= 10, "a conversation of {frames} frames");
}

/// The vectors, one block of lines each.
fn vectors() -> impl Iterator<Item = &'static str> {
    VECTORS.split("\n\n").filter(|block| !block.starts_with('#'))
}

fn decode(bytes: &[u8]) -> Said<'_> {
    let Framed::Whole(frame) = next_frame(bytes, FRAME_LEN_MAX) else {
        unreachable!("no whole frame: {bytes:02x?}")
    };
    assert_eq!(frame.len, bytes.len());
    // The borrow is of the vector, not of the frame.
    Said::decode(&frame).unwrap_or_else(|bad| unreachable!("{bad}: {bytes:02x?}"))
}
