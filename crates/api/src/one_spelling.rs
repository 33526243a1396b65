//! One spelling of every path. The router decodes what is percent-encoded before it looks for a handler; whatever else reads a path (limits,
//! who may call from a browser, the log, what an idempotency key belongs to) reads it as it was sent. Refused here, the two are the same.

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::problem::{BAD_REQUEST, Problem};

/// `from_fn(one_spelling)`, around everything that reads the path: 400 for a path that encodes what our routes are spelled with. Nobody
/// needs to (RFC 3986 §2.3): encoders leave letters, digits and `-._~` alone, and the colon stands in our own words only (`orders:look-up`).
pub async fn one_spelling<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(needless) = needless(req.path()) else {
        return Ok(next.call(req).await?.map_into_boxed_body());
    };
    let problem = Problem::new(&BAD_REQUEST)
        .detail(format!("the path has `{needless}` percent-encoded"))
        .hint(format!("Write `{needless}` as it is."));
    Ok(req.into_response(problem.error_response()))
}

/// The first character that is encoded and need not be.
fn needless(path: &str) -> Option<char> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    path.as_bytes().windows(3).find_map(|three| {
        let &[b'%', high, low] = three else { return None };
        let octet = (digit(high)? << 4) | digit(low)?;
        (octet.is_ascii_alphanumeric() || b"-._~:".contains(&octet)).then(|| char::from(octet))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
    use actix_web::{App, HttpResponse, middleware::from_fn, web};
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_stands_for_itself_is_not_encoded() {
        for (path, found) in [
            ("/store/v1/orders%3Alook-up", Some(':')),
            ("/store/v1/orders%3alook-up", Some(':')),
            ("/%61dmin/v1/orders", Some('a')),
            ("/admin/v1/orders/ord%5Fx", Some('_')),
            ("/a/%2E%2e/b", Some('.')),
            ("/x%7E", Some('~')),
            // Decoded in two goes it would be an `a`.
            ("/%%361dmin", Some('6')),
            ("/x%", None),
            ("/x%4", None),
            ("/x%zz", None),
            ("/x%+41", None),
            ("/x%2561", None),
            // Never of a route of ours: they are what somebody named.
            ("/products/caf%C3%A9%20%26%2F%40%2B%00", None),
            ("/store/v1/orders:look-up", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(needless(path), found, "{path}");
        }
    }

    #[actix_web::test]
    async fn a_handler_is_found_under_one_spelling_only() {
        let app = App::new()
            .route("/orders:look-up", web::get().to(async || HttpResponse::Ok().finish()))
            .route("/things/{name}", web::get().to(async |name: web::Path<String>| name.into_inner()))
            .wrap(from_fn(one_spelling));
        let app = init_service(app).await;
        for (path, status) in [
            ("/orders:look-up", 200),
            ("/orders%3Alook-up", 400),
            ("/%6Frders:look-up", 400),
            ("/things/a%40b%2Fc", 200),
            ("/things/%61", 400),
            // A query is decoded once and by everybody.
            ("/orders:look-up?secret=%61%3A", 200),
        ] {
            let answer = call_service(&app, TestRequest::with_uri(path).to_request()).await;
            assert_eq!(answer.status(), status, "{path}");
            if status == 400 {
                let problem: Value = read_body_json(answer).await;
                assert_eq!(problem["code"], "bad_request", "{path}");
            }
        }
    }
}
