//! Rate limits by a key of the caller's choosing, with the `RateLimit` headers of the IETF draft.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};
use futures_util::future::LocalBoxFuture;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

use crate::problem::{Problem, TOO_MANY_REQUESTS};

/// Callers tracked one by one; beyond this, they share [`SHARED`] buckets until the idle ones are forgotten.
const MAX_CALLERS: usize = 200_000;
const SHARED: u64 = 4096;
/// Idle callers are forgotten once in this many checks.
const SWEEP_EVERY: u32 = 4096;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, DefaultClock, StateInformationMiddleware>;
type KeyOf = dyn Fn(&ServiceRequest) -> Option<String> + Send + Sync;

/// So many requests in so long, for each key. Share one in an `Arc` between all workers of a process; each process
/// counts for itself. Memory is bounded: keys are kept as 64-bit hashes, at most 200 000 of them.
pub struct RateLimit {
    name: &'static str,
    requests: NonZeroU32,
    window: Duration,
    per_request: Duration,
    limiter: Limiter,
    clock: DefaultClock,
    hasher: RandomState,
    checks: AtomicU32,
    crowded: AtomicBool,
    key_of: Box<KeyOf>,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit")
            .field("name", &self.name)
            .field("requests", &self.requests)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// How a key stands after a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests left at once.
    pub remaining: u32,
    /// Seconds until the whole quota is back.
    pub reset: u64,
}

impl RateLimit {
    /// A limit named `name` (a token: letters, digits, `-`, `_`) of `requests` in `window`. `key_of` names the caller;
    /// requests for which it returns `None` are not limited. Zero requests count as one; a window shorter than a
    /// nanosecond per request counts as one nanosecond each.
    pub fn new(
        name: &'static str,
        requests: u32,
        window: Duration,
        key_of: impl Fn(&ServiceRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        let per_request = (window / requests.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(per_request).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        Self {
            name,
            requests,
            window,
            per_request,
            limiter: RateLimiter::dashmap(quota.allow_burst(requests)).with_middleware(),
            clock: DefaultClock::default(),
            hasher: RandomState::new(),
            checks: AtomicU32::new(0),
            crowded: AtomicBool::new(false),
            key_of: Box::new(key_of),
        }
    }

    /// Counts one request of `key`. 429 with `retry_after` when the quota is used up.
    pub fn check(&self, key: &str) -> Result<Standing, Problem> {
        self.sweep_sometimes();
        let hash = self.hasher.hash_one(key);
        let bucket = if self.crowded.load(Ordering::Relaxed) { hash % SHARED } else { hash };
        match self.limiter.check_key(&bucket) {
            Ok(state) => Ok(self.standing(state.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
                Err(Problem::new(&TOO_MANY_REQUESTS)
                    .detail(format!("the limit \"{}\" is {}", self.name, self.words()))
                    .retry_after(seconds))
            }
        }
    }

    fn words(&self) -> String {
        format!("{} requests in {} seconds", self.requests, self.window.as_secs().max(1))
    }

    fn standing(&self, remaining: u32) -> Standing {
        let used = self.requests.get().saturating_sub(remaining);
        let reset = self.per_request.saturating_mul(used).as_millis().div_ceil(1000);
        Standing { remaining, reset: u64::try_from(reset).unwrap_or(u64::MAX) }
    }

    fn sweep_sometimes(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY != SWEEP_EVERY - 1 {
            return;
        }
        self.limiter.retain_recent();
        let callers = self.limiter.len();
        if callers < MAX_CALLERS / 2 {
            self.limiter.shrink_to_fit();
        }
        self.crowded.store(callers >= MAX_CALLERS, Ordering::Relaxed);
    }

    /// Adds `RateLimit-Policy` and `RateLimit` to a reply.
    pub fn describe(&self, headers: &mut HeaderMap, standing: Standing) {
        let name = self.name;
        let policy = format!("\"{name}\";q={};w={}", self.requests, self.window.as_secs().max(1));
        let state = format!("\"{name}\";r={};t={}", standing.remaining, standing.reset);
        for (header, text) in [(POLICY, policy), (STANDING, state)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.append(header, value);
            }
        }
    }
}

type Allowed = dyn Fn(&ServiceRequest) -> Option<(String, u32)> + Send + Sync;

/// A limit of one name and window whose requests differ from key to key. Each number of requests has a [`RateLimit`] of its own, so a key
/// that is allowed another number begins anew, at once. For numbers of ours (plans have few), never of a caller's.
pub struct RateLimits {
    name: &'static str,
    window: Duration,
    allowed: Box<Allowed>,
    by_requests: RwLock<HashMap<u32, Arc<RateLimit>>>,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimits")
            .field("name", &self.name)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl RateLimits {
    /// As [`RateLimit::new`]; `allowed` names the key and how many requests it has in `window`.
    pub fn new(
        name: &'static str,
        window: Duration,
        allowed: impl Fn(&ServiceRequest) -> Option<(String, u32)> + Send + Sync + 'static,
    ) -> Self {
        Self { name, window, allowed: Box::new(allowed), by_requests: RwLock::default() }
    }

    fn of(&self, requests: u32) -> Arc<RateLimit> {
        let known = self.by_requests.read().unwrap_or_else(PoisonError::into_inner).get(&requests).cloned();
        known.unwrap_or_else(|| {
            let mut all = self.by_requests.write().unwrap_or_else(PoisonError::into_inner);
            let made = || Arc::new(RateLimit::new(self.name, requests, self.window, |_| None));
            Arc::clone(all.entry(requests).or_insert_with(made))
        })
    }
}

/// `from_fn(rate_limit(limit.clone()))`: counts each request before it is handled; 429 without handling it.
pub fn rate_limit<B: MessageBody + 'static>(
    limit: Arc<RateLimit>,
) -> impl Fn(ServiceRequest, Next<B>) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>> + Clone
{
    move |req, next| {
        let key = (limit.key_of)(&req);
        Box::pin(counted(key.map(|key| (key, Arc::clone(&limit))), req, next))
    }
}

/// The same where keys are allowed different numbers.
pub fn rate_limits<B: MessageBody + 'static>(
    limits: Arc<RateLimits>,
) -> impl Fn(ServiceRequest, Next<B>) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>> + Clone
{
    move |req, next| {
        let allowed = (limits.allowed)(&req);
        Box::pin(counted(allowed.map(|(key, requests)| (key, limits.of(requests))), req, next))
    }
}

async fn counted<B: MessageBody + 'static>(
    limited: Option<(String, Arc<RateLimit>)>,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some((key, limit)) = limited else {
        return Ok(next.call(req).await?.map_into_boxed_body());
    };
    match limit.check(&key) {
        Ok(standing) => {
            let mut response = next.call(req).await?.map_into_boxed_body();
            limit.describe(response.headers_mut(), standing);
            Ok(response)
        }
        Err(problem) => {
            let standing = limit.standing(0);
            let mut response = req.into_response(problem.error_response());
            limit.describe(response.headers_mut(), standing);
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests;
