//! What a person sees: one line for each thing that is done, with the time it took.

use std::fmt::Arguments;
use std::io::Write;
use std::time::Instant;

/// Prints a line like `println!`, but lives on when nobody reads any more (`souk logs | head`): the value says
/// whether somebody does.
macro_rules! say {
    ($($text:tt)*) => { $crate::outlook::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// What [`say!`] does.
pub fn line(text: Arguments<'_>) -> bool {
    writeln!(std::io::stdout(), "{text}").is_ok()
}

/// Says that something begins that takes a while.
pub fn begin(what: &str) {
    say!("  … {what}");
}

/// Says that something is done.
pub fn done(what: &str, since: Instant) {
    say!("  ✔ {what} ({:.1} s)", since.elapsed().as_secs_f32());
}

/// Says something worth knowing.
pub fn note(what: &str) {
    say!("  · {what}");
}

/// Says that something is not as it should be.
pub fn trouble(what: &str) {
    say!("  ✘ {what}");
}
