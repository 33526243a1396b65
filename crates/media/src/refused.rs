//! Why bytes are no picture for us.

/// Nothing was kept. The text is for whoever sent the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It may run programs in the browser of whoever looks at it.
    #[error("this is {0}, which can run programs in a shopper's browser")]
    Active(&'static str),
    /// A picture of a kind that we cannot read.
    #[error("this is {0}, which is not read here")]
    Unsupported(&'static str),
    /// Nothing we know.
    #[error("these bytes are no picture")]
    Unknown,
    /// It ends too early, or contradicts itself.
    #[error("the picture is damaged: {0}")]
    Broken(String),
    /// The file is too large.
    #[error("the file has more than {most} bytes")]
    TooManyBytes {
        /// How many it may have.
        most: usize,
    },
    /// Decoded, it would be too large.
    #[error("the picture has {width} × {height} pixels; at most {most} and {side} a side are taken")]
    TooManyPixels {
        /// As its header says.
        width: u32,
        /// As its header says.
        height: u32,
        /// How many there may be.
        most: u64,
        /// How many a side may have.
        side: u32,
    },
    /// It moves for too long.
    #[error("the picture has more than {most} frames, or they have too many pixels together")]
    TooManyFrames {
        /// How many there may be.
        most: usize,
    },
}

impl From<image::ImageError> for Refused {
    fn from(error: image::ImageError) -> Self {
        if matches!(error, image::ImageError::Limits(_)) {
            return Self::Broken("it would need too much memory".to_owned());
        }
        // What decoders say may repeat bytes of the file: kept short.
        let text: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        Self::Broken(text)
    }
}
