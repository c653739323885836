//! Keys as people look at them.

use super::read::Reader;
use super::write::Writer;
use super::{BadFrame, number};
use alloc::sync::Arc;
use tenure_core::{
    Fence, Happened, HolderInfo, Inspection, Note, Observation, PastInfo, Summary, WaiterInfo,
};

pub(super) fn write_inspection(writer: &mut Writer<'_>, inspection: &Inspection) {
    writer.limit(inspection.limit);
    writer.u32(inspection.held);
    writer.u32(inspection.holders_len);
    writer.u32(inspection.queue_len);
    writer.list(&inspection.holders, write_holder);
    writer.list(&inspection.waiters, write_waiter);
    writer.list(&inspection.past, write_past);
}

pub(super) fn read_inspection(fields: &mut Reader<'_>) -> Result<Inspection, BadFrame> {
    Ok(Inspection {
        limit: fields.limit()?,
        held: fields.u32()?,
        holders_len: fields.u32()?,
        queue_len: fields.u32()?,
        holders: fields.list(read_holder)?,
        waiters: fields.list(read_waiter)?,
        past: fields.list(read_past)?,
    })
}

pub(super) fn write_summary(writer: &mut Writer<'_>, summary: &Summary) {
    writer.u8(number::of_space(summary.space));
    writer.bytes(&summary.name);
    writer.limit(summary.limit);
    writer.u32(summary.held);
    writer.u32(summary.holders_len);
    writer.u32(summary.queue_len);
    writer.maybe(summary.holder.as_ref(), write_holder);
}

pub(super) fn read_summary(fields: &mut Reader<'_>) -> Result<Summary, BadFrame> {
    let key = fields.key()?;
    Ok(Summary {
        space: key.space(),
        name: key.name().to_vec(),
        limit: fields.limit()?,
        held: fields.u32()?,
        holders_len: fields.u32()?,
        queue_len: fields.u32()?,
        holder: fields.maybe(read_holder)?,
    })
}

/// What happened to a key.
const QUEUE: u8 = 0;
const GRANTED: u8 = 1;
const ENDED: u8 = 2;

/// The fields are the same whatever happened. Those that say nothing about it are zero or empty.
pub(super) fn write_observation(writer: &mut Writer<'_>, observation: &Observation) {
    let (number, fence, ending, note, reason) = match &observation.happened {
        Happened::Queue => (QUEUE, Fence::new(0), 0, None, ""),
        Happened::Granted { fence, note } => (GRANTED, *fence, 0, note.as_ref(), ""),
        Happened::Ended { fence, ending, reason } => {
            (ENDED, *fence, number::of_ending(*ending), None, &**reason)
        }
    };
    writer.u32(observation.holders_len);
    writer.u32(observation.queue_len);
    writer.u8(number);
    writer.fence(fence);
    writer.u8(ending);
    writer.text(reason);
    write_note(writer, note);
}

pub(super) fn read_observation(fields: &mut Reader<'_>) -> Result<Observation, BadFrame> {
    let (holders_len, queue_len) = (fields.u32()?, fields.u32()?);
    let (number, fence, ending) = (fields.u8()?, fields.fence()?, fields.u8()?);
    let (reason, note) = (fields.text()?, read_note(fields)?);
    let happened = match number {
        QUEUE => Happened::Queue,
        GRANTED => Happened::Granted { fence, note },
        ENDED => Happened::Ended { fence, ending: number::ending(ending)?, reason: Arc::from(reason) },
        _ => return Err(BadFrame::Malformed("such a thing does not happen to a key")),
    };
    Ok(Observation { happened, holders_len, queue_len })
}

fn write_holder(writer: &mut Writer<'_>, holder: &HolderInfo) {
    writer.fence(holder.fence);
    writer.u32(holder.permits);
    writer.at_most(holder.since);
    writer.at_most(holder.remaining);
    writer.owner(holder.owner);
    write_note(writer, holder.note.as_ref());
}

fn read_holder(fields: &mut Reader<'_>) -> Result<HolderInfo, BadFrame> {
    Ok(HolderInfo {
        fence: fields.fence()?,
        permits: fields.u32()?,
        since: fields.time()?,
        remaining: fields.time()?,
        owner: fields.owner()?,
        note: read_note(fields)?,
    })
}

fn write_waiter(writer: &mut Writer<'_>, waiter: &WaiterInfo) {
    writer.u32(waiter.permits);
    writer.at_most(waiter.since);
    writer.owner(waiter.owner);
    write_note(writer, waiter.note.as_ref());
}

fn read_waiter(fields: &mut Reader<'_>) -> Result<WaiterInfo, BadFrame> {
    Ok(WaiterInfo {
        permits: fields.u32()?,
        since: fields.time()?,
        owner: fields.owner()?,
        note: read_note(fields)?,
    })
}

fn write_past(writer: &mut Writer<'_>, past: &PastInfo) {
    writer.fence(past.fence);
    writer.at_most(past.held_for);
    writer.at_most(past.ago);
    writer.u8(number::of_ending(past.ending));
    writer.owner(past.owner);
    write_note(writer, past.note.as_ref());
}

fn read_past(fields: &mut Reader<'_>) -> Result<PastInfo, BadFrame> {
    Ok(PastInfo {
        fence: fields.fence()?,
        held_for: fields.time()?,
        ago: fields.time()?,
        ending: number::ending(fields.u8()?)?,
        owner: fields.owner()?,
        note: read_note(fields)?,
    })
}

fn write_note(writer: &mut Writer<'_>, note: Option<&Arc<Note>>) {
    writer.maybe(note, |writer, note| {
        writer.u32(note.pid);
        writer.text(&note.label);
        writer.text(&note.host);
    });
}

fn read_note(fields: &mut Reader<'_>) -> Result<Option<Arc<Note>>, BadFrame> {
    fields.maybe(|fields| {
        Ok(Arc::new(Note { pid: fields.u32()?, label: fields.label()?.into(), host: fields.host()?.into() }))
    })
}
