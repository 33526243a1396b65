//! Passwords: what may be chosen, and hashing that can neither be flooded nor used to find out who has an account.
//!
//! Argon2id at 12 MiB, 3 passes, 1 lane takes about 20 ms of one core, so at most a few run at once on threads of their own and a
//! bounded number waits; the next caller is told [`HasherError::Busy`] at once. An unknown account costs the same hash. Those threads are
//! nicer than the ones that answer: a reader who needs the core gets it within a tick, not when a hash is done.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, oneshot};
use unicode_normalization::UnicodeNormalization as _;

/// Fewest characters of a chosen password.
pub const SHORTEST: usize = 8;
/// Most characters; longer ones are refused before hashing, never cut.
pub const LONGEST: usize = 128;
const MEMORY_KIB: u32 = 12 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Of the threads that hash, above that of the process: Linux then gives them about a tenth of what another thread on the same core gets.
const NICENESS: i32 = 10;
/// The 11,690 that breaches held most often, nearly all of at least 8 characters, in lower case: those of zxcvbn (licence beside the list) and some more, and
/// shorter ones that people put figures behind.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password in plain text, NFKC-normalised so that every keyboard spells it alike. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a password was not accepted. The text says what to do.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Fewer than [`SHORTEST`] characters.
    #[error("must have at least 8 characters; 15 or more are better")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("must have at most 128 characters")]
    TooLong,
    /// Holds NUL.
    #[error("must not contain the character U+0000")]
    Unusable,
    /// On the list everybody tries first.
    #[error("is one of the passwords that are guessed first; choose another")]
    Common,
    /// Little more than the person's or the store's name.
    #[error("must not be made from the e-mail address or the name it belongs to")]
    Personal,
}

impl PasswordError {
    /// The stable code for a field error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Unusable => "invalid_character",
            Self::Common => "too_common",
            Self::Personal => "too_personal",
        }
    }
}

impl Password {
    /// A password someone wants to have. `context` is what it must not be made of: e-mail, names.
    pub fn chosen(text: &str, context: &[&str]) -> Result<Self, PasswordError> {
        let password = Self::presented(text)?;
        if password.0.chars().count() < SHORTEST {
            return Err(PasswordError::TooShort);
        }
        let folded = password.0.to_lowercase();
        let stem = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
        let repeats_one = folded.chars().next().is_some_and(|first| folded.chars().all(|c| c == first));
        if repeats_one
            || COMMON.lines().any(|common| common == folded || (common.len() > 4 && common == stem))
        {
            return Err(PasswordError::Common);
        }
        let personal =
            context.iter().flat_map(|words| words.split(|c: char| !c.is_alphanumeric())).any(|word| {
                let word = word.to_lowercase();
                word.chars().count() >= 4 && stem == word
            });
        if personal || context.iter().any(|whole| whole.to_lowercase() == folded) {
            return Err(PasswordError::Personal);
        }
        Ok(password)
    }

    /// A password someone says they have: only bounds that keep hashing cheap.
    pub fn presented(text: &str) -> Result<Self, PasswordError> {
        // Four bytes is the longest character: a megabyte is refused before it is normalised.
        if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        if text.contains('\0') {
            return Err(PasswordError::Unusable);
        }
        Ok(Self(text.nfkc().collect()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A stored hash in PHC form. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// As read from the database.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// As written to the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why hashing did not happen.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HasherError {
    /// Too many are waiting; try again in a second. 503.
    #[error("too many passwords are being checked")]
    Busy,
    /// A stored hash cannot be read, or Argon2 refused. 500.
    #[error("the password could not be hashed")]
    Broken,
}

type Job = Box<dyn FnOnce() + Send>;

/// The one place where passwords are hashed. Cheap to clone; clones share threads and bounds. The threads end with the last clone.
#[derive(Clone)]
pub struct Hasher {
    jobs: mpsc::Sender<Job>,
    running: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    computed: Arc<AtomicU64>,
    stranger: PasswordHash,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("waiting", &self.waiting)
            .field("queue", &self.queue)
            .field("computed", &self.computed)
            .finish_non_exhaustive()
    }
}

/// Counts a caller in the queue for as long as it lives, also when the request is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Hasher {
    /// Starts `parallel` threads, each doing one hash at a time; at most `queue` callers wait for them. 2 and 32 suit two cores.
    ///
    /// # Errors
    /// [`HasherError::Broken`]: the operating system gave no random bytes or no thread.
    pub fn new(parallel: usize, queue: usize) -> Result<Self, HasherError> {
        let mut nobody = [0_u8; 32];
        getrandom::fill(&mut nobody).map_err(|_| HasherError::Broken)?;
        let stranger = argon2()?.hash_password(&nobody).map_err(|_| HasherError::Broken)?;
        let parallel = parallel.max(1);
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..parallel {
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new().name("hasher".to_owned());
            thread.spawn(move || work(&waiting)).map_err(|_| HasherError::Broken)?;
        }
        Ok(Self {
            jobs,
            running: Arc::new(Semaphore::new(parallel)),
            waiting: Arc::new(AtomicUsize::new(0)),
            queue,
            computed: Arc::new(AtomicU64::new(0)),
            stranger: PasswordHash(stranger.to_string()),
        })
    }

    /// How many hashes it and its clones have computed: the work of a sign-in that a clock cannot measure on a busy machine.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Hashes a chosen password for storing.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError> {
        self.run(move || {
            let hash = argon2()?.hash_password(password.0.as_bytes()).map_err(|_| HasherError::Broken)?;
            Ok(PasswordHash(hash.to_string()))
        })
        .await
    }

    /// Whether the password fits the stored hash. `None` (no such account) costs the same time and is always false.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, HasherError> {
        let known = stored.is_some();
        let hash = stored.unwrap_or(&self.stranger).clone();
        self.run(move || {
            let parsed = Phc::new(hash.as_str()).map_err(|_| HasherError::Broken)?;
            let fits = argon2()?.verify_password(password.0.as_bytes(), &parsed).is_ok();
            Ok(fits && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HasherError> + Send + 'static,
    ) -> Result<T, HasherError> {
        let permit = match Arc::clone(&self.running).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let before = self.waiting.fetch_add(1, Ordering::AcqRel);
                let _place = Place(&self.waiting);
                if before >= self.queue {
                    return Err(HasherError::Busy);
                }
                Arc::clone(&self.running).acquire_owned().await.map_err(|_| HasherError::Broken)?
            }
        };
        let (answer, answered) = oneshot::channel();
        let computed = Arc::clone(&self.computed);
        // The thread keeps the permit: a dropped request does not make room for one hash more than allowed.
        let job = move || {
            let _permit = permit;
            let outcome = work();
            computed.fetch_add(1, Ordering::Relaxed);
            // Whoever asked may be gone.
            let _ = answer.send(outcome);
        };
        self.jobs.send(Box::new(job)).map_err(|_| HasherError::Broken)?;
        // Without an answer the work panicked.
        answered.await.map_err(|_| HasherError::Broken)?
    }
}

/// The life of one thread: job after job until nobody can ask any more.
fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    // Niceness belongs to a thread on Linux. Elsewhere, or where it is refused, hashing goes on as eagerly as all the rest.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "passwords are hashed at the priority of requests");
    }
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic ends the job, whose caller is told, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn argon2() -> Result<Argon2<'static>, HasherError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HasherError::Broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_guessed_first() {
        let cases = [
            ("short", PasswordError::TooShort),
            ("password", PasswordError::Common),
            ("Password123!", PasswordError::Common),
            ("qwertyuiop", PasswordError::Common),
            ("aaaaaaaaaa", PasswordError::Common),
            ("Trustno1", PasswordError::Common),
            ("Baseball-1984!", PasswordError::Common),
            ("mopar440", PasswordError::Common),
            ("12345678", PasswordError::Common),
            ("rosalind2024", PasswordError::Personal),
            ("rosalind@example.com", PasswordError::Personal),
            ("has\0a nul in it", PasswordError::Unusable),
        ];
        for (text, expected) in cases {
            assert_eq!(
                Password::chosen(text, &["rosalind@example.com", "Gift Shop"]),
                Err(expected),
                "{text}"
            );
        }
        assert_eq!(Password::chosen(&"x1".repeat(65), &[]), Err(PasswordError::TooLong));
        assert_eq!(Password::presented(&"x".repeat(1 << 20)), Err(PasswordError::TooLong));
    }

    #[test]
    fn the_list_is_one_that_can_be_found_in() {
        assert_eq!(COMMON.lines().count(), 11_690);
        let mut words = COMMON.lines();
        assert!(
            words.clone().is_sorted()
                && words.all(|word| word.chars().count() >= 5 && word == word.to_lowercase())
        );
    }

    #[test]
    fn accepts_long_spaced_and_unicode_ones_whole() {
        for text in [
            "correct horse battery staple",
            "    eight spaces    ",
            "пароль-длинный-и-свой",
            &"x1".repeat(64),
        ] {
            assert!(Password::chosen(text, &["rosalind@example.com"]).is_ok(), "{text}");
        }
        // The same word from two keyboards.
        assert_eq!(Password::presented("ﬁancé-and-co"), Password::presented("fiance\u{301}-and-co"));
    }

    #[tokio::test]
    async fn fits_only_itself_and_never_a_stranger() {
        let hasher = Hasher::new(2, 32).unwrap();
        let right = Password::chosen(&"long enough to pass bcrypt's 72 bytes ".repeat(3), &[]).unwrap();
        let hash = hasher.hash(right.clone()).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=12288,t=3,p=1$"));
        assert!(hasher.verify(right.clone(), Some(&hash)).await.unwrap());
        let shorter = Password::presented(&"long enough to pass bcrypt's 72 bytes ".repeat(2)).unwrap();
        assert!(!hasher.verify(shorter, Some(&hash)).await.unwrap());
        assert!(!hasher.verify(right.clone(), None).await.unwrap());
        let broken = PasswordHash::stored("nonsense".to_owned());
        assert_eq!(hasher.verify(right, Some(&broken)).await, Err(HasherError::Broken));
        assert!(!format!("{hash:?} {hasher:?}").contains("argon2id"));
    }

    #[tokio::test]
    async fn a_flood_is_told_to_come_back() {
        let hasher = Hasher::new(1, 2).unwrap();
        let password = Password::presented("some password").unwrap();
        let tries = (0..20).map(|_| hasher.verify(password.clone(), None));
        let answers = futures_util::future::join_all(tries).await;
        let busy = answers.iter().filter(|answer| **answer == Err(HasherError::Busy)).count();
        assert_eq!((busy, answers.len() - busy), (17, 3));
        assert_eq!(hasher.waiting.load(Ordering::Acquire), 0);
        assert_eq!(hasher.verify(password, None).await, Ok(false));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_gives_way_and_outlives_a_panic() {
        let hasher = Hasher::new(1, 2).unwrap();
        let niceness = || rustix::process::getpriority_process(None).map_err(|_| HasherError::Broken);
        let ours = niceness().unwrap();
        assert_eq!(hasher.run(niceness).await, Ok((ours + NICENESS).min(19)));
        assert_eq!(niceness(), Ok(ours), "only the threads that hash");
        assert_eq!(hasher.run::<()>(|| panic!("on purpose")).await, Err(HasherError::Broken));
        assert_eq!(hasher.run(niceness).await, Ok((ours + NICENESS).min(19)));
    }
}
