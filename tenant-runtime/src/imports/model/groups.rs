//! The rows of one product, and whether a file is one at all.

use super::columns::{Column, Header};
use super::records::{Mark, Record, Records, delimiter_of};
use super::{FileFault, Format, MOST_ROWS, MatchBy};

/// Most rows of a product: all its variants, and some pictures.
const ROWS: usize = 2_300;
/// Most bytes of a product's rows.
const BYTES: usize = 8 << 20;

/// Rows that stand together and are about one product.
#[derive(Clone, Debug)]
pub struct Group {
    pub rows: Vec<Record>,
    /// How many there are, also those that were too many to keep.
    pub count: u64,
    /// Where the next product begins.
    pub end: Mark,
    pub too_large: bool,
    bytes: usize,
    handle: String,
}

/// Puts the rows of a product together. They stand together: a row with another handle, or without one but with a title, begins the next.
pub struct Groups {
    header: Option<Header>,
    records: Records,
    open: Option<Group>,
}

impl Groups {
    /// From this mark on; of a table whose header is known, or of lines.
    pub fn new(format: Format, delimiter: u8, header: Option<Header>, at: Mark) -> Self {
        Self { header, records: Records::new(format, delimiter, at), open: None }
    }

    /// More of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.records.push(bytes);
    }

    /// There is no more.
    pub fn end(&mut self) {
        self.records.end();
    }

    /// Whether nothing more will be pushed.
    pub fn is_whole(&self) -> bool {
        self.records.is_whole()
    }

    /// The next product's rows; none until more is pushed, or at the end.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn next(&mut self) -> Result<Option<Group>, FileFault> {
        while let Some(record) = self.records.next()? {
            if record.row == 1 && self.header.is_some() {
                continue;
            }
            let handle = self.cell(&record, Column::Handle).unwrap_or_default().to_owned();
            let goes_on = self.open.as_ref().is_some_and(|open| self.goes_on(open, &record, &handle));
            match self.open.as_mut().filter(|_| goes_on) {
                Some(open) => open.add(record, self.records.mark()),
                None => {
                    let before = Mark { byte: record.start, row: record.row - 1 };
                    let next = Group::of(record, handle, self.records.mark());
                    if let Some(group) = self.open.replace(next) {
                        return Ok(Some(Group { end: before, ..group }));
                    }
                }
            }
        }
        Ok(if self.records.is_whole() { self.open.take() } else { None })
    }

    fn goes_on(&self, open: &Group, record: &Record, handle: &str) -> bool {
        if !handle.is_empty() {
            return open.handle == handle;
        }
        self.cell(record, Column::Title).is_some_and(str::is_empty)
    }

    fn cell<'r>(&self, record: &'r Record, column: Column) -> Option<&'r str> {
        self.header.as_ref().and_then(|header| header.cell(record, column))
    }
}

impl Group {
    fn of(record: Record, handle: String, end: Mark) -> Self {
        Self { bytes: record.size(), rows: vec![record], count: 1, end, too_large: false, handle }
    }

    /// How many bytes its rows have.
    pub fn size(&self) -> usize {
        self.bytes
    }

    fn add(&mut self, record: Record, end: Mark) {
        self.count += 1;
        self.end = end;
        self.bytes += record.size();
        if self.rows.len() >= ROWS || self.bytes > BYTES {
            self.too_large = true;
        } else {
            self.rows.push(record);
        }
    }
}

/// Looks through a file while it arrives.
pub struct Inspector {
    format: Format,
    by: MatchBy,
    records: Option<Records>,
    pub delimiter: u8,
    pub header: Option<Header>,
    /// Rows so far, without the header.
    pub rows: u64,
}

impl Inspector {
    /// Of a file that begins now.
    pub fn new(format: Format, by: MatchBy) -> Self {
        Self { format, by, records: None, delimiter: b',', header: None, rows: 0 }
    }

    /// The next piece; the first has the whole header.
    ///
    /// # Errors
    /// What makes the file as a whole unusable.
    pub fn look(&mut self, piece: &[u8]) -> Result<(), FileFault> {
        if self.records.is_none() {
            self.delimiter = delimiter_of(piece);
        }
        let records =
            self.records.get_or_insert_with(|| Records::new(self.format, self.delimiter, Mark::default()));
        records.push(piece);
        self.count()
    }

    /// There is no more.
    ///
    /// # Errors
    /// What makes the file as a whole unusable: that it is empty, too.
    pub fn finish(&mut self) -> Result<(), FileFault> {
        if let Some(records) = &mut self.records {
            records.end();
        }
        self.count()?;
        if self.rows == 0 {
            let message = match self.format {
                Format::Csv => "The file has no rows below its header.",
                Format::Jsonl => "The file has no lines.",
            };
            return Err(FileFault::new(0, "", "empty", message.to_owned()));
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), FileFault> {
        let Some(records) = &mut self.records else { return Ok(()) };
        while let Some(record) = records.next()? {
            if self.format == Format::Csv && self.header.is_none() {
                self.header = Some(Header::read(&record, self.by)?);
                continue;
            }
            self.rows += 1;
            if self.rows > MOST_ROWS {
                let message = format!(
                    "Row {} is one too many: a file may have {MOST_ROWS} rows. Split it.",
                    record.row
                );
                return Err(FileFault::new(record.row, "", "too_many_rows", message));
            }
        }
        Ok(())
    }
}
