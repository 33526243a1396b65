//! First who, then what: whoever may not come in learns that, and nothing about what else is wrong with their request.
//!
//! actix asks all of a handler's extractors at once and answers with the first refusal, so a look-up of who calls would lose against a
//! body that does not parse, or win, by how long it took. Those who decide hold a [`Deciding`]; the others keep their refusals, and leave
//! the body unread, until nobody does.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use crate::problem::Problem;

/// Held by an extractor for as long as it does not know whether the caller may come in.
#[derive(Debug)]
pub struct Deciding(
    #[expect(dead_code, reason = "it is dropped, and that is all it does")] watch::Sender<()>,
);

/// What to wait for, in a request's extensions.
#[derive(Default)]
struct Undecided(Vec<watch::Receiver<()>>);

impl Deciding {
    /// From `from_request` itself, not from the future it gives back: that one may be asked too late.
    #[must_use]
    pub fn begin(req: &HttpRequest) -> Self {
        let (held, seen) = watch::channel(());
        let mut extensions = req.extensions_mut();
        let mut undecided = extensions.remove::<Undecided>().unwrap_or_default();
        undecided.0.push(seen);
        extensions.insert(undecided);
        Self(held)
    }
}

/// Until it is decided. Extractors call it in their future, when all others have begun.
pub(crate) async fn decided(req: &HttpRequest) {
    let undecided = req.extensions_mut().remove::<Undecided>().unwrap_or_default();
    // Others may wait as well.
    let also = undecided.0.clone();
    req.extensions_mut().insert(Undecided(also));
    for mut held in undecided.0 {
        while held.changed().await.is_ok() {}
    }
}

/// What an extractor found at once; a refusal is given only when it is decided that the caller may come in.
pub struct Behind<T> {
    found: Option<Result<T, Problem>>,
    req: HttpRequest,
    waiting: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl<T> Behind<T> {
    pub(crate) fn new(req: &HttpRequest, found: Result<T, Problem>) -> Self {
        Self { found: Some(found), req: req.clone(), waiting: None }
    }
}

// Nothing in it is pinned but the box, which may be moved.
impl<T> Unpin for Behind<T> {}

impl<T> Future for Behind<T> {
    type Output = Result<T, Problem>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if matches!(self.found, Some(Err(_))) {
            let req = self.req.clone();
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(async move { decided(&req).await }));
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        match self.found.take() {
            Some(found) => Poll::Ready(found),
            // Asked again after its answer, which the contract of futures leaves open.
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::dev::Payload;
    use actix_web::test::TestRequest;
    use actix_web::{App, FromRequest, HttpResponse, test, web};
    use futures_util::future::LocalBoxFuture;
    use serde::Deserialize;

    use super::*;
    use crate::problem::{NOT_FOUND, UNAUTHENTICATED};
    use crate::{IdempotencyKey, IfMatch, Json, PagingOnly, Path, Query};

    /// Lets in whoever says please, after a while.
    struct Porter;

    impl FromRequest for Porter {
        type Error = Problem;
        type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

        fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
            let (deciding, polite) = (Deciding::begin(req), req.headers().contains_key("x-please"));
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                drop(deciding);
                if polite { Ok(Self) } else { Err(Problem::new(&UNAUTHENTICATED)) }
            })
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    #[actix_web::test]
    async fn who_comes_before_what() {
        async fn sound(_: Porter) -> HttpResponse {
            HttpResponse::Ok().finish()
        }
        let app = App::new()
            .route("/sound", web::post().to(sound))
            .route("/body", web::post().to(async |_: Porter, _: Json<Nothing>| HttpResponse::Ok().finish()))
            // In this order too.
            .route("/turned", web::post().to(async |_: Json<Nothing>, _: Porter| HttpResponse::Ok().finish()))
            .route("/query", web::post().to(async |_: Porter, _: Query<Nothing>| HttpResponse::Ok().finish()))
            .route("/list", web::post().to(async |_: Porter, _: PagingOnly| HttpResponse::Ok().finish()))
            .route("/path/{n}", web::post().to(async |_: Path<u8>, _: Porter| HttpResponse::Ok().finish()))
            .route("/tag", web::post().to(async |_: Porter, _: IfMatch| HttpResponse::Ok().finish()))
            .route("/key", web::post().to(async |_: Porter, _: IdempotencyKey| HttpResponse::Ok().finish()));
        let app = test::init_service(app).await;
        let wrong = [
            ("/body", 422),
            ("/turned", 422),
            ("/query?x=1", 422),
            ("/list?x=1", 422),
            ("/path/none", 404),
            ("/tag", 400),
            ("/key", 400),
            ("/sound", 200),
        ];
        for (path, status) in wrong {
            for (polite, expected) in [(false, 401), (true, status)] {
                let mut request = TestRequest::post().uri(path).set_json(serde_json::json!({ "x": 1 }));
                request = request.insert_header(("if-match", "no tag"));
                if polite {
                    request = request.insert_header(("x-please", "yes"));
                }
                let answer = test::call_service(&app, request.to_request()).await;
                assert_eq!(answer.status(), expected, "{path}, polite: {polite}");
            }
        }
        // Where nobody decides, nobody waits.
        let request = TestRequest::default().to_http_request();
        let refusal = Behind::<()>::new(&request, Err(Problem::new(&NOT_FOUND))).await;
        assert_eq!(refusal.err().map(|problem| problem.code()), Some("not_found"));
    }
}
