use actix_web::{
    App, HttpResponse,
    middleware::from_fn,
    test::{self as calls, TestRequest},
    web,
};

use super::*;

fn limit(requests: u32) -> Arc<RateLimit> {
    Arc::new(RateLimit::new("default", requests, Duration::from_secs(60), |req| {
        req.headers().get("x-caller").and_then(|value| value.to_str().ok()).map(str::to_owned)
    }))
}

#[actix_web::test]
async fn each_caller_has_a_quota_and_hears_of_it() {
    let app = App::new().route("/", web::get().to(HttpResponse::Ok)).wrap(from_fn(rate_limit(limit(3))));
    let app = calls::init_service(app).await;
    let call = async |caller: &str| {
        let mut request = TestRequest::default();
        if !caller.is_empty() {
            request = request.insert_header(("x-caller", caller));
        }
        let reply = calls::call_service(&app, request.to_request()).await;
        let text =
            |name: &str| reply.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
        (reply.status().as_u16(), text("ratelimit-policy"), text("ratelimit"), text("retry-after"))
    };
    let policy = Some("\"default\";q=3;w=60".to_owned());
    for (left, reset) in [(2, 20), (1, 40), (0, 60)] {
        let standing = Some(format!("\"default\";r={left};t={reset}"));
        assert_eq!(call("one").await, (200, policy.clone(), standing, None));
    }
    let (status, stated, standing, wait) = call("one").await;
    assert_eq!((status, stated, standing.as_deref()), (429, policy, Some("\"default\";r=0;t=60")));
    assert!((1..=20).contains(&wait.expect("Retry-After").parse::<u32>().expect("a number")));
    assert_eq!(call("two").await.0, 200);
    for _ in 0..5 {
        assert_eq!(call("").await, (200, None, None, None));
    }
}

#[test]
fn odd_settings_do_not_panic() {
    let never = |_: &ServiceRequest| None;
    for (requests, window) in
        [(0, Duration::ZERO), (u32::MAX, Duration::from_nanos(1)), (1, Duration::from_secs(86_400))]
    {
        let limit = RateLimit::new("odd", requests, window, never);
        assert!(limit.check("a").is_ok());
    }
}

#[test]
fn idle_callers_are_forgotten() {
    let limit = RateLimit::new("short", 1, Duration::from_millis(1), |_| None);
    for caller in 0..SWEEP_EVERY * 2 {
        let _ = limit.check(&caller.to_string());
    }
    std::thread::sleep(Duration::from_millis(5));
    for _ in 0..SWEEP_EVERY {
        let _ = limit.check("same");
    }
    assert!(limit.limiter.len() <= 1, "{} callers are kept", limit.limiter.len());
}

#[test]
fn a_crowd_shares_buckets() {
    let limit = limit(1_000_000);
    limit.crowded.store(true, Ordering::Relaxed);
    for caller in 0..3000 {
        let _ = limit.check(&caller.to_string());
    }
    assert!(limit.limiter.len() as u64 <= SHARED);
}

#[actix_web::test]
async fn a_key_has_as_many_as_it_is_allowed_now() {
    let most = Arc::new(AtomicU32::new(2));
    let allowed = Arc::clone(&most);
    let limits = RateLimits::new("plan", Duration::from_secs(60), move |req| {
        let caller = req.headers().get("x-caller")?.to_str().ok()?;
        Some((caller.to_owned(), if caller == "large" { 9 } else { allowed.load(Ordering::Relaxed) }))
    });
    let app =
        App::new().route("/", web::get().to(HttpResponse::Ok)).wrap(from_fn(rate_limits(Arc::new(limits))));
    let app = calls::init_service(app).await;
    let call = async |caller: &str| {
        let request = TestRequest::default().insert_header(("x-caller", caller)).to_request();
        let reply = calls::call_service(&app, request).await;
        let text =
            |name: &str| reply.headers().get(name).expect("a header").to_str().expect("ASCII").to_owned();
        (reply.status().as_u16(), text("ratelimit-policy"), text("ratelimit"))
    };
    let told = |status: u16, most: u32, left: u32, reset: u32| {
        (status, format!("\"plan\";q={most};w=60"), format!("\"plan\";r={left};t={reset}"))
    };
    assert_eq!(call("small").await, told(200, 2, 1, 30));
    assert_eq!(call("small").await, told(200, 2, 0, 60));
    assert_eq!(call("small").await, told(429, 2, 0, 60));
    assert_eq!(call("large").await, told(200, 9, 8, 7));
    // Another plan holds at once.
    most.store(3, Ordering::Relaxed);
    assert_eq!(call("small").await, told(200, 3, 2, 20));
    assert_eq!(call("large").await, told(200, 9, 7, 14));
}
