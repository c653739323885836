//! A reader of frames that knows nothing but the tables of `docs/protocol.md`.

use std::collections::HashMap;
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../../../docs/protocol.md");

/// The width of the column of bytes in what is rendered.
const BYTES_WIDTH: usize = 34;

/// What the page says of messages and records.
pub(crate) struct Page {
    kinds: HashMap<u8, (&'static str, Fields)>,
    records: HashMap<&'static str, Fields>,
}

/// Names and types, in their order.
type Fields = Vec<(&'static str, &'static str)>;

/// Bytes to read, and the lines that say what they are.
struct Reading<'a> {
    page: &'a Page,
    bytes: &'a [u8],
    lines: String,
}

impl Page {
    pub(crate) fn read() -> Self {
        let (mut kinds, mut records) = (HashMap::new(), HashMap::new());
        for row in PAGE.lines().filter(|line| line.starts_with("| ")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            match *cells.as_slice() {
                [kind, name, fields, ..] if kind.len() == 4 && kind.starts_with('`') => {
                    let kind = u8::from_str_radix(kind.trim_matches('`'), 16).expect("a kind");
                    let earlier = kinds.insert(kind, (name, parse_fields(fields)));
                    assert_eq!(earlier, None, "{kind:#04x} is there twice");
                }
                [record, fields] if fields.starts_with('`') && fields.contains(": ") => {
                    records.insert(record, parse_fields(fields));
                }
                _ => {}
            }
        }
        assert_eq!(records.len(), 5 + TYPES_WITH_PARTS, "records: {:?}", records.keys());
        Self { kinds, records }
    }

    /// Every kind and the name of its message.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (u8, &'static str)> {
        self.kinds.iter().map(|(kind, (name, _))| (*kind, *name))
    }

    pub(crate) fn name_of(&self, kind: u8) -> &'static str {
        self.kinds[&kind].0
    }

    /// What a frame is, field by field.
    pub(crate) fn describe(&self, frame: &[u8]) -> String {
        let mut reading = Reading { page: self, bytes: frame, lines: String::new() };
        let len = reading.number("length", 4);
        assert_eq!(len, frame.len() as u128 - 4);
        let kind = reading.bytes[0];
        let (name, fields) = &self.kinds[&kind];
        reading.line(1, &format!("kind {name}"));
        reading.number("number", 4);
        reading.fields("", fields);
        assert_eq!(reading.bytes, b"", "{name} has fields that the page does not know");
        reading.lines
    }
}

/// The types `key` and `token` are described as records are, by their parts.
const TYPES_WITH_PARTS: usize = 2;

/// Reads "`a: u8`, `b: text`", and whatever prose stands behind it.
fn parse_fields(cell: &'static str) -> Fields {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|field| field.split_once(": ")).collect()
}

impl Reading<'_> {
    fn fields(&mut self, path: &str, fields: &Fields) {
        for (name, of) in fields {
            self.field(&format!("{path}{name}"), of);
        }
    }

    fn field(&mut self, name: &str, of: &str) {
        if let Some(of) = of.strip_prefix("optional ") {
            if self.number(name, 1) == 1 {
                self.field(name, of);
            }
        } else if let Some(record) = of.strip_suffix(" or none") {
            self.record(name, record);
        } else if let Some(record) = of.strip_prefix("list of ") {
            for index in 0..self.number(name, 2) {
                self.record(&format!("{name}[{index}]"), record);
            }
        } else {
            self.value(name, of);
        }
    }

    fn record(&mut self, name: &str, record: &str) {
        let len = self.number(name, 2) as usize;
        if len == 0 {
            return;
        }
        let rest = self.bytes.split_off(len..).expect("a record");
        self.fields(&format!("{name}."), &self.page.records[record]);
        assert_eq!(self.bytes, b"", "{name} has fields that the page does not know");
        self.bytes = rest;
    }

    fn value(&mut self, name: &str, of: &str) {
        let len = match of {
            "u8" | "flag" => 1,
            "u16" => 2,
            "u32" => 4,
            "u64" | "ms" => 8,
            "u128" => 16,
            "bytes" | "text" => return self.text(name),
            _ => return self.fields(&format!("{name}."), &self.page.records[&*format!("`{of}`")]),
        };
        self.number(name, len);
    }

    fn number(&mut self, name: &str, len: usize) -> u128 {
        let number = self.bytes[..len].iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        let shown = if len == 16 { name.to_owned() } else { format!("{name} {number}") };
        self.line(len, &shown);
        number
    }

    fn text(&mut self, name: &str) {
        let len = usize::from(u16::from_be_bytes([self.bytes[0], self.bytes[1]]));
        let shown = format!("{name} \"{}\"", self.bytes[2..2 + len].escape_ascii());
        self.line(2 + len, &shown);
    }

    /// Takes so many bytes, and writes them and what they are.
    fn line(&mut self, len: usize, shown: &str) {
        let (taken, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        let hex: String = taken.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.lines, "{hex:BYTES_WIDTH$}{}{shown}", if hex.len() < BYTES_WIDTH { "" } else { "  " })
            .expect("a string takes everything");
    }
}

/// The conversation on the page: who speaks, and the bytes of each frame.
pub(crate) fn conversation() -> Vec<(char, Vec<u8>)> {
    let (_, conversation) = PAGE.split_once("## A conversation").expect("a conversation");
    conversation.split("\n\n").filter_map(parse_frame).collect()
}

/// Reads "> what it is" and lines of bytes and what they are.
pub(crate) fn parse_frame(block: &str) -> Option<(char, Vec<u8>)> {
    let mut lines = block.lines().skip_while(|line| !line.starts_with(['>', '<']));
    let speaker = lines.next()?.chars().next()?;
    let lines = lines.take_while(|line| !line.starts_with('`'));
    let hex: String = lines.filter_map(|line| line.split_ascii_whitespace().next()).collect();
    Some((speaker, from_hex(&hex)))
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).expect("a hexadecimal digit") as u8;
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
