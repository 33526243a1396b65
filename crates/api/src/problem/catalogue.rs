//! The problems that any endpoint may answer, and the page that lists a plane's catalogues.

use std::fmt::Write as _;

use super::{ProblemKind, TYPE_BASE};

/// Declares one catalogue entry: `problem!(OUT_OF_STOCK, 409, "out_of_stock", "Not enough stock");`, with an optional
/// fifth argument that says what the caller should do.
#[macro_export]
macro_rules! problem {
    ($(#[$meta:meta])* $name:ident, $status:literal, $code:literal, $title:literal $(,)?) => {
        $crate::problem!($(#[$meta])* $name, $status, $code, $title, "");
    };
    ($(#[$meta:meta])* $name:ident, $status:literal, $code:literal, $title:literal, $help:literal $(,)?) => {
        $(#[$meta])*
        #[doc = concat!($title, " (", stringify!($status), " `", $code, "`). ", $help)]
        pub const $name: $crate::ProblemKind =
            $crate::ProblemKind { code: $code, status: $status, title: $title, help: $help };
    };
}

/// Declares many entries and the slice that holds them all, so that none is left out of the documentation:
/// `problems! { CATALOGUE; OUT_OF_STOCK = 409, "out_of_stock", "Not enough stock", "Lower the quantity."; … }`.
#[macro_export]
macro_rules! problems {
    ($all:ident; $($name:ident = $status:literal, $code:literal, $title:literal, $help:literal;)+) => {
        $($crate::problem!($name, $status, $code, $title, $help);)+
        /// Every problem declared here, in order.
        pub const $all: &[$crate::ProblemKind] = &[$($name),+];
    };
}

problems! { CATALOGUE;
    BAD_REQUEST = 400, "bad_request", "The request cannot be understood", "Correct the request as `detail` says.";
    MALFORMED_JSON = 400, "malformed_json", "The body is not the JSON we accept", "Send one JSON document in UTF-8, nested at most 32 deep, with no duplicate keys and no \\u0000.";
    INVALID_CURSOR = 400, "invalid_cursor", "The cursor is not one of ours, or belongs to another list", "Start again without `after`.";
    IDEMPOTENCY_KEY_MISSING = 400, "idempotency_key_missing", "This operation needs an Idempotency-Key header", "Send a fresh UUID and repeat it when you retry.";
    IDEMPOTENCY_KEY_INVALID = 400, "idempotency_key_invalid", "The Idempotency-Key header is not usable", "Send 1 to 255 visible ASCII characters, once.";
    UNAUTHENTICATED = 401, "unauthenticated", "Credentials are missing, expired or not valid here", "Sign in again, or send an API key of this store.";
    FORBIDDEN = 403, "forbidden", "These credentials may not do this", "Ask an owner for a role or key with the permission.";
    NOT_FOUND = 404, "not_found", "There is nothing here", "Check the id; it may belong to another store.";
    STORE_UNKNOWN = 404, "store_unknown", "No store answers at this host", "Check the host name; a new domain takes a few seconds.";
    METHOD_NOT_ALLOWED = 405, "method_not_allowed", "This path does not take this method", "See the API reference.";
    BODY_TOO_SLOW = 408, "body_too_slow", "The body took too long to arrive", "Send the request again, at once.";
    CONFLICT = 409, "conflict", "The request conflicts with the present state", "Read the resource again and decide.";
    IDEMPOTENCY_RUNNING = 409, "idempotency_running", "A request with this Idempotency-Key is still running", "Wait and repeat the same request.";
    PRECONDITION_FAILED = 412, "precondition_failed", "The resource has changed since you read it", "Read it again and repeat the change with the new ETag.";
    PAYLOAD_TOO_LARGE = 413, "payload_too_large", "The body is too large", "Send less at a time.";
    UNSUPPORTED_MEDIA_TYPE = 415, "unsupported_media_type", "The body's media type is not accepted", "Send `Content-Type: application/json`, uncompressed.";
    PREVIEW_STALE = 409, "preview_stale", "What was previewed is not what would happen now", "Ask for a new preview with dry_run=true and send its token.";
    VALIDATION = 422, "validation_failed", "The request breaks a rule", "`errors` names each part and what it must be.";
    UNKNOWN_FIELD = 422, "unknown_field", "The request has a field or parameter that does not exist here", "Remove it, or correct its spelling.";
    IDEMPOTENCY_KEY_REUSED = 422, "idempotency_key_reused", "This Idempotency-Key belongs to another request", "Use a fresh key for a different body.";
    PRECONDITION_REQUIRED = 428, "precondition_required", "This change needs an If-Match header", "Read the resource and send its ETag.";
    TOO_MANY_REQUESTS = 429, "too_many_requests", "Too many requests", "Wait `retry_after` seconds.";
    INTERNAL = 500, "internal", "Something failed on our side", "Try again; quote `request_id` if it persists.";
    UNAVAILABLE = 503, "unavailable", "Temporarily unavailable", "Wait `retry_after` seconds.";
    STORE_SUSPENDED = 503, "store_suspended", "This store is suspended", "Its owner can resume it in the console.";
}

/// The catalogues as one Markdown page, by status and then code. Duplicate codes with the same status are listed
/// once; [`duplicate_codes`] finds those that disagree.
#[must_use]
pub fn markdown(catalogues: &[&[ProblemKind]]) -> String {
    let mut kinds: Vec<&ProblemKind> = catalogues.iter().flat_map(|catalogue| catalogue.iter()).collect();
    kinds.sort_by_key(|kind| (kind.status, kind.code));
    kinds.dedup_by_key(|kind| (kind.status, kind.code));
    let mut page = format!(
        "# Problems\n\nGenerated from the code; do not edit. Every refusal is `application/problem+json` (RFC 9457) \
         whose `type` is `{TYPE_BASE}` followed by its code. Match on `code`.\n\n| Status | Code | Title | What to do |\n\
         |---|---|---|---|\n"
    );
    for kind in kinds {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | `{}` | {} | {} |", kind.status, kind.code, kind.title, kind.help);
    }
    page
}

/// Codes declared more than once with different meanings. Must be empty; a test of each plane says so.
#[must_use]
pub fn duplicate_codes(catalogues: &[&[ProblemKind]]) -> Vec<&'static str> {
    let mut kinds: Vec<&ProblemKind> = catalogues.iter().flat_map(|catalogue| catalogue.iter()).collect();
    kinds.sort_by_key(|kind| kind.code);
    kinds
        .windows(2)
        .filter(|pair| pair[0].code == pair[1].code && pair[0] != pair[1])
        .map(|pair| pair[0].code)
        .collect()
}
