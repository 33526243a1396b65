//! How working with files of pictures fails.

use souk_api::problem::PAYLOAD_TOO_LARGE;
use souk_api::{Problem, problems};
use souk_media::Refused;
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    IMAGE_TYPE = 415, "image_type", "This is not a picture we can show", "Send the bytes of a PNG, JPEG, WebP or GIF file.";
    IMAGE_BROKEN = 422, "image_broken", "The picture is damaged", "Open it in a program for pictures, save it anew, and send that.";
    IMAGE_TOO_LARGE = 422, "image_too_large", "The picture has too many pixels or frames", "Send one of at most 25 megapixels, 10,000 pixels a side and 150 frames.";
    MEDIA_QUOTA = 409, "media_quota_reached", "The plan allows no more bytes of pictures", "Delete pictures, or ask an owner for a larger plan: PATCH /v1/stores/{store} at the control plane.";
    MEDIA_BUSY = 503, "media_busy", "Too many pictures are being worked on", "Send it again after the seconds in Retry-After.";
    MEDIA_AWAY = 503, "media_unavailable", "The pictures' object store does not answer", "Send it again after the seconds in Retry-After.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The bytes are not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The plan allows so many megabytes.
    #[error("at most {0} MB of pictures")]
    Quota(u32),
    /// All places are taken.
    #[error("too many pictures at once")]
    Busy,
    /// The object store failed.
    #[error("the object store failed: {0}")]
    Away(String),
    /// What was announced was put away meanwhile.
    #[error("the file was put away")]
    Late,
    /// What was asked for ended as it ended for somebody who asked at the same moment.
    #[error("as for somebody else")]
    Told(Problem),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Refused(refused) => refusal(&refused),
            MediaError::Quota(limit) => Self::new(&MEDIA_QUOTA)
                .detail(format!("the store's plan allows {limit} MB of pictures"))
                .extension("limit", limit),
            MediaError::Busy | MediaError::Late => Self::new(&MEDIA_BUSY).retry_after(2),
            MediaError::Away(cause) => Self::new(&MEDIA_AWAY).retry_after(5).source(cause),
            MediaError::Told(problem) => problem,
            MediaError::Db(error) => souk_access::database_problem(error.into()),
            MediaError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}

fn refusal(refused: &Refused) -> Problem {
    let kind = match refused {
        Refused::Active(_) | Refused::Unsupported(_) | Refused::Unknown => &IMAGE_TYPE,
        Refused::Broken(_) => &IMAGE_BROKEN,
        Refused::TooManyBytes { .. } => &PAYLOAD_TOO_LARGE,
        Refused::TooManyPixels { .. } | Refused::TooManyFrames { .. } => &IMAGE_TOO_LARGE,
    };
    Problem::new(kind).detail(refused.to_string())
}
