//! Sheets of A4 on which words and lines are put, and the PDF they become. The font is part of the program and of every document.

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// Points: 72 to the inch.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;

const REGULAR: &[u8] = include_bytes!("../../../fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../../fonts/Inter-SemiBold.ttf");

/// A document could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the document cannot be drawn: {0}")]
pub struct PdfError(pub &'static str);

/// One of the two faces.
struct Face {
    font: Font,
    read: FontRef<'static>,
    units: f32,
}

impl Face {
    fn new(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let font = Font::new(bytes.into(), 0).ok_or(PdfError("a font is none"))?;
        let read = FontRef::new(bytes).map_err(|_| PdfError("a font is none"))?;
        let units = font.units_per_em();
        Ok(Self { font, read, units })
    }

    /// The glyphs of a text with their advances. What the font does not have becomes its sign for that.
    fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let (charmap, metrics) =
            (self.read.charmap(), self.read.glyph_metrics(Size::unscaled(), LocationRef::default()));
        let glyph = |(at, letter): (usize, char)| {
            let id = charmap.map(letter).unwrap_or_default();
            let advance = metrics.advance_width(id).unwrap_or_default() / self.units;
            KrillaGlyph::new(
                GlyphId::new(id.to_u32()),
                advance,
                0.0,
                0.0,
                0.0,
                at..at + letter.len_utf8(),
                None,
            )
        };
        text.char_indices().map(glyph).collect()
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        self.glyphs(text).iter().map(|glyph| glyph.x_advance).sum::<f32>() * size
    }
}

/// How words look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub size: f32,
    pub bold: bool,
    /// 0 is black.
    pub grey: u8,
}

impl Style {
    pub const fn plain(size: f32) -> Self {
        Self { size, bold: false, grey: 30 }
    }

    pub const fn bold(size: f32) -> Self {
        Self { size, bold: true, grey: 20 }
    }

    pub const fn faint(size: f32) -> Self {
        Self { size, bold: false, grey: 110 }
    }
}

enum Mark {
    Words { x: f32, y: f32, style: Style, text: String },
    Rule { x: f32, y: f32, width: f32, thickness: f32, grey: u8 },
}

/// Sheets, the last of which is written on. `y` grows downwards and is where the next words stand.
pub struct Paper {
    regular: Face,
    bold: Face,
    sheets: Vec<Vec<Mark>>,
    pub y: f32,
}

impl Paper {
    /// One empty sheet.
    pub fn new() -> Result<Self, PdfError> {
        let (regular, bold) = (Face::new(REGULAR)?, Face::new(SEMI_BOLD)?);
        Ok(Self { regular, bold, sheets: vec![Vec::new()], y: 0.0 })
    }

    /// Goes on with another sheet from there.
    pub fn next_sheet(&mut self, y: f32) {
        self.sheets.push(Vec::new());
        self.y = y;
    }

    /// How many there are.
    pub fn sheets(&self) -> usize {
        self.sheets.len()
    }

    const fn face(&self, style: Style) -> &Face {
        if style.bold { &self.bold } else { &self.regular }
    }

    /// Writes where it stands.
    pub fn write(&mut self, x: f32, style: Style, text: &str) {
        let last = self.sheets.len().saturating_sub(1);
        self.write_on(last, x, self.y, style, text);
    }

    /// Writes so that the words end at `x`.
    pub fn write_up_to(&mut self, x: f32, style: Style, text: &str) {
        let start = x - self.face(style).width(text, style.size);
        self.write(start, style, text);
    }

    /// Writes anywhere on any sheet.
    pub fn write_on(&mut self, sheet: usize, x: f32, y: f32, style: Style, text: &str) {
        if let Some(marks) = self.sheets.get_mut(sheet) {
            marks.push(Mark::Words { x, y, style, text: text.to_owned() });
        }
    }

    /// The same, so that the words end at `x`.
    pub fn write_on_up_to(&mut self, sheet: usize, x: f32, y: f32, style: Style, text: &str) {
        let start = x - self.face(style).width(text, style.size);
        self.write_on(sheet, start, y, style, text);
    }

    /// A horizontal line.
    pub fn rule_on(&mut self, sheet: usize, x: f32, y: f32, width: f32, thickness: f32, grey: u8) {
        if let Some(marks) = self.sheets.get_mut(sheet) {
            marks.push(Mark::Rule { x, y, width, thickness, grey });
        }
    }

    /// A horizontal line where it stands.
    pub fn rule(&mut self, x: f32, width: f32, thickness: f32, grey: u8) {
        let last = self.sheets.len().saturating_sub(1);
        self.rule_on(last, x, self.y, width, thickness, grey);
    }

    /// A text as lines that are no wider than that. Words that are wider by themselves are cut.
    pub fn wrap(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        let face = self.face(style);
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if face.width(&longer, style.size) <= width {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                for letter in word.chars() {
                    line.push(letter);
                    if face.width(&line, style.size) > width {
                        line.pop();
                        lines.push(std::mem::replace(&mut line, letter.to_string()));
                    }
                }
            }
            lines.push(line);
        }
        lines
    }

    /// The PDF.
    ///
    /// # Errors
    /// The font does not let itself be embedded.
    pub fn pdf(self, metadata: Metadata) -> Result<Vec<u8>, PdfError> {
        let mut document = krilla::Document::new();
        document.set_metadata(metadata);
        let Self { regular, bold, sheets, .. } = self;
        for marks in sheets {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PdfError("a sheet has no size"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                match mark {
                    Mark::Words { x, y, style, text } => {
                        let face = if style.bold { &bold } else { &regular };
                        fill(&mut surface, style.grey);
                        let glyphs = face.glyphs(&text);
                        let start = Point::from_xy(x, y);
                        surface.draw_glyphs(start, &glyphs, face.font.clone(), &text, style.size, false);
                    }
                    Mark::Rule { x, y, width, thickness, grey } => {
                        fill(&mut surface, grey);
                        let Some(rect) = Rect::from_xywh(x, y, width, thickness) else { continue };
                        let mut path = PathBuilder::new();
                        path.push_rect(rect);
                        if let Some(path) = path.finish() {
                            surface.draw_path(&path);
                        }
                    }
                }
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| {
            tracing::error!(?error, "a document cannot be drawn");
            PdfError("the font cannot be embedded")
        })
    }
}

fn fill(surface: &mut Surface<'_>, grey: u8) {
    let paint = rgb::Color::new(grey, grey, grey).into();
    surface.set_fill(Some(Fill { paint, opacity: NormalizedF32::ONE, rule: Default::default() }));
}
