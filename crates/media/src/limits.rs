//! How much of a picture is taken.

use crate::refused::Refused;

/// What a picture may cost. Looked at before anything of that size is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a file.
    pub bytes: usize,
    /// Most pixels of a side.
    pub side: u32,
    /// Most pixels of a picture; of a moving one, of all its frames together.
    pub pixels: u64,
    /// Most frames.
    pub frames: usize,
    /// The longest side of what is kept; what is larger is made smaller.
    pub kept_side: u32,
}

impl Limits {
    /// What a shop needs: a photograph of 25 megapixels, some seconds that move. Decoding holds at most about 200 MB, for less than a second or two.
    pub const SHOP: Self =
        Self { bytes: 10 * 1024 * 1024, side: 10_000, pixels: 25_000_000, frames: 150, kept_side: 4096 };

    /// Refuses what would cost more.
    pub(crate) fn check(&self, (width, height): (u32, u32), bytes: u64) -> Result<(), Refused> {
        let pixels = u64::from(width) * u64::from(height);
        if width == 0 || height == 0 {
            return Err(Refused::Broken("it has no pixels".to_owned()));
        }
        // Four channels of eight bits; of sixteen bits a channel, half as many pixels are taken.
        let most = self.pixels.saturating_mul(4);
        if width > self.side || height > self.side || pixels > self.pixels || bytes > most {
            return Err(Refused::TooManyPixels { width, height, most: self.pixels, side: self.side });
        }
        Ok(())
    }

    /// The same, as the decoders keep it.
    pub(crate) fn of_decoder(&self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(self.side);
        limits.max_image_height = Some(self.side);
        limits.max_alloc = Some(self.pixels.saturating_mul(5));
        limits
    }
}
