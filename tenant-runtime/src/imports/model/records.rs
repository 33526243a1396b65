//! A file as it arrives, piece by piece, cut into rows; what waits is never more than a piece and a row.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{FileFault, Format};

/// Most bytes of a row of a table, and of a line of JSON.
const ROW: usize = 1 << 20;
const LINE: usize = 4 << 20;
/// Most cells of a row: a store may have 500 metafields of its own.
const CELLS: usize = 1024;

/// How far a file is read: the byte to go on at, and the last row before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub byte: u64,
    pub row: u64,
}

/// A row: the cells of a table, or one cell that is a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// As a spreadsheet counts: the header is row 1. Of JSON: the line.
    pub row: u64,
    /// Where it begins.
    pub start: u64,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// A cell as it stands; none behind the last.
    pub fn cell(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.text.get(start..end)
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

/// Cuts what is pushed into rows.
pub struct Records {
    cut: Cut,
    input: Vec<u8>,
    used: usize,
    /// Where the unread part of `input` begins in the file.
    at: Mark,
    start: u64,
    text: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    cells: usize,
    whole: bool,
}

enum Cut {
    Table(Box<Reader>),
    /// How far the line was searched for its end.
    Lines(usize),
}

impl Records {
    /// From this mark on; `delimiter` is of tables.
    pub fn new(format: Format, delimiter: u8, at: Mark) -> Self {
        let cut = match format {
            Format::Csv => Cut::Table(Box::new(ReaderBuilder::new().delimiter(delimiter).build())),
            Format::Jsonl => Cut::Lines(0),
        };
        Self {
            cut,
            input: Vec::new(),
            used: 0,
            at,
            start: at.byte,
            text: vec![0; 4096],
            filled: 0,
            ends: vec![0; 64],
            cells: 0,
            whole: false,
        }
    }

    /// More of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.extend_from_slice(bytes);
    }

    /// There is no more.
    pub fn end(&mut self) {
        self.whole = true;
    }

    /// Whether nothing more will be pushed.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// How far it is read.
    pub fn mark(&self) -> Mark {
        self.at
    }

    /// The next row; none until more is pushed, or at the end.
    ///
    /// # Errors
    /// A row that is too large, or not UTF-8.
    pub fn next(&mut self) -> Result<Option<Record>, FileFault> {
        match self.cut {
            Cut::Table(_) => self.next_row(),
            Cut::Lines(searched) => self.next_line(searched),
        }
    }

    fn next_row(&mut self) -> Result<Option<Record>, FileFault> {
        let Cut::Table(reader) = &mut self.cut else { return Ok(None) };
        loop {
            let input = self.input.get(self.used..).unwrap_or_default();
            if input.is_empty() && !self.whole {
                return Ok(None);
            }
            let text = self.text.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.cells..).unwrap_or_default();
            let (result, read, wrote, cells) = reader.read_record(input, text, ends);
            self.used += read;
            self.at.byte += read as u64;
            self.filled += wrote;
            self.cells += cells;
            let row = self.at.row + 1;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= ROW => {
                    let message = format!("Row {row} has more than 1 MiB; perhaps a quote is not closed.");
                    return Err(FileFault::new(row, "", "too_long", message));
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= CELLS => {
                    let message = format!("Row {row} has more than {CELLS} cells.");
                    return Err(FileFault::new(row, "", "too_many_cells", message));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return self.record().map(Some),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn record(&mut self) -> Result<Record, FileFault> {
        self.at.row += 1;
        let (row, start) = (self.at.row, self.start);
        self.start = self.at.byte;
        let bytes = self.text.get(..self.filled).unwrap_or_default().to_vec();
        let ends = self.ends.get(..self.cells).unwrap_or_default().to_vec();
        (self.filled, self.cells) = (0, 0);
        let text =
            String::from_utf8(bytes).ok().filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        text.map(|text| Record { row, start, text, ends }).ok_or_else(|| not_utf8(row))
    }

    fn next_line(&mut self, mut searched: usize) -> Result<Option<Record>, FileFault> {
        loop {
            let input = self.input.get(self.used..).unwrap_or_default();
            let end = input.iter().skip(searched).position(|byte| *byte == b'\n').map(|end| end + searched);
            let (line, read) = match end {
                Some(end) => (input.get(..end).unwrap_or_default(), end + 1),
                None if self.whole && !input.is_empty() => (input, input.len()),
                None => {
                    let row = self.at.row + 1;
                    self.cut = Cut::Lines(input.len());
                    return if input.len() > LINE { Err(too_long(row)) } else { Ok(None) };
                }
            };
            let start = self.at.byte;
            self.at.row += 1;
            let row = self.at.row;
            if line.len() > LINE {
                return Err(too_long(row));
            }
            let text = std::str::from_utf8(line).map_err(|_| not_utf8(row))?;
            let text = if start == 0 { text.trim_start_matches('\u{feff}') } else { text };
            let text = text.trim().to_owned();
            self.used += read;
            self.at.byte += read as u64;
            self.cut = Cut::Lines(0);
            searched = 0;
            if !text.is_empty() {
                let ends = vec![text.len()];
                return Ok(Some(Record { row, start, text, ends }));
            }
        }
    }
}

fn not_utf8(row: u64) -> FileFault {
    let message = format!("Row {row} is not UTF-8; save the file as \"CSV UTF-8\".");
    FileFault::new(row, "", "not_utf8", message)
}

fn too_long(row: u64) -> FileFault {
    FileFault::new(row, "", "too_long", format!("Line {row} has more than 4 MiB."))
}

/// What separates the cells of a table whose beginning this is: whichever of comma, semicolon and tab its header has most of.
pub fn delimiter_of(beginning: &[u8]) -> u8 {
    let (mut counts, mut quoted) = ([(b',', 0), (b';', 0), (b'\t', 0)], false);
    for byte in beginning {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                counts.iter_mut().filter(|count| count.0 == *byte).for_each(|count| count.1 += 1);
            }
            _ => {}
        }
    }
    let [comma, ..] = counts;
    counts.into_iter().fold(comma, |best, next| if next.1 > best.1 { next } else { best }).0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(format: Format, pieces: &[&[u8]], from: Mark) -> Result<Vec<(u64, u64, Vec<String>)>, FileFault> {
        let (mut records, mut rows) = (Records::new(format, b',', from), Vec::new());
        for piece in pieces {
            records.push(piece);
            while let Some(record) = records.next()? {
                rows.push(shown(&record));
            }
        }
        records.end();
        while let Some(record) = records.next()? {
            rows.push(shown(&record));
        }
        Ok(rows)
    }

    fn shown(record: &Record) -> (u64, u64, Vec<String>) {
        let cells = (0..record.len()).map(|cell| record.cell(cell).unwrap().to_owned());
        (record.row, record.start, cells.collect())
    }

    const FILE: &[u8] = "a,b\r\n\"x, \"\"y\"\"\nz\",é\r\n,\n1,2".as_bytes();

    #[test]
    fn rows_are_cut_wherever_the_pieces_end() {
        let rows = all(Format::Csv, &[FILE], Mark::default()).unwrap();
        let cells: Vec<_> = rows.iter().map(|row| row.2.join("|")).collect();
        assert_eq!(cells, ["a|b", "x, \"y\"\nz|é", "|", "1|2"]);
        for cut in 0..FILE.len() {
            let (one, two) = FILE.split_at(cut);
            let seen = all(Format::Csv, &[one, two], Mark::default()).unwrap();
            assert_eq!(
                seen.iter().map(|row| &row.2).collect::<Vec<_>>(),
                rows.iter().map(|row| &row.2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn reading_goes_on_at_any_row() {
        for format in [Format::Csv, Format::Jsonl] {
            let rows = all(format, &[FILE], Mark::default()).unwrap();
            for (number, row) in rows.iter().enumerate() {
                let rest = FILE.get(usize::try_from(row.1).unwrap()..).unwrap();
                let from = Mark { byte: row.1, row: row.0 - 1 };
                assert_eq!(all(format, &[rest], from).unwrap(), rows[number..].to_vec());
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_row() {
        let fault = |format, bytes: &[u8]| all(format, &[bytes], Mark::default()).unwrap_err();
        assert_eq!(fault(Format::Csv, b"a\nb\n\xff\n"), not_utf8(3));
        assert_eq!(fault(Format::Jsonl, b"{}\n\xff\n"), not_utf8(2));
        let open = [b"a\nb\n\"".as_slice(), &vec![b'x'; 2 << 20]].concat();
        let seen = fault(Format::Csv, &open);
        assert_eq!((seen.row, seen.code), (3, "too_long"));
        let wide = fault(Format::Csv, &[b','; 1100]);
        assert_eq!((wide.row, wide.code), (1, "too_many_cells"));
        assert_eq!(fault(Format::Jsonl, &vec![b' '; (4 << 20) + 1]).code, "too_long");
    }

    #[test]
    fn blank_lines_of_json_count() {
        let rows = all(Format::Jsonl, &[b"\xef\xbb\xbf{}\n\n \r\n{\"a\":1}\r\n"], Mark::default()).unwrap();
        assert_eq!(rows, [(1, 0, vec!["{}".to_owned()]), (4, 10, vec!["{\"a\":1}".to_owned()])]);
    }

    #[test]
    fn the_separator_is_the_headers() {
        for (header, separator) in
            [("a,b", b','), ("a;b;\"c,d,e,f\"\n,,,,", b';'), ("a\tb", b'\t'), ("a", b',')]
        {
            assert_eq!(delimiter_of(header.as_bytes()), separator, "{header}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_no_danger(bytes: Vec<u8>, cut in 0_usize..64) {
            for format in [Format::Csv, Format::Jsonl] {
                let (one, two) = bytes.split_at(cut.min(bytes.len()));
                let _ = all(format, &[one, two], Mark::default());
            }
        }
    }
}
