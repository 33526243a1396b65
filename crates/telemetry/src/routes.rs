//! Which route a request follows, found in one walk.
//!
//! actix-web asks one route after the other with a regular expression, and once more for whoever wants to know its pattern: with some
//! 250 routes a large part of what an answer from memory cost (`docs/PERFORMANCE.md`). [`Routes`] finds pattern and group of an address first; the router then
//! asks only the routes of that group.

use std::sync::Arc;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;
use actix_web::guard::{Guard, GuardContext};

/// The pattern of a route, and the group it was registered in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The number of its group.
    pub group: usize,
    /// Such as `/admin/v1/products/{id}`.
    pub pattern: Arc<str>,
}

/// Two groups have routes for the same addresses, or a pattern cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the route {pattern} does not fit beside the others: {reason}")]
pub struct RouteError {
    pattern: String,
    reason: String,
}

/// The patterns of a plane by group. As app data of the application it tells [`crate::request_spans`] and [`crate::measure`] what a
/// request's pattern is.
#[derive(Clone, Debug, Default)]
pub struct Routes(Arc<matchit::Router<Route>>);

impl Routes {
    /// The routes of these groups, which count from 0.
    ///
    /// # Errors
    /// If an address could follow routes of two groups, or a pattern is none.
    pub fn new<P: Into<String>>(
        groups: impl IntoIterator<Item = impl IntoIterator<Item = P>>,
    ) -> Result<Self, RouteError> {
        let mut router = matchit::Router::<Route>::new();
        for (group, patterns) in groups.into_iter().enumerate() {
            for pattern in patterns {
                let pattern: String = pattern.into();
                let route = Route { group, pattern: pattern.as_str().into() };
                let Err(error) = router.insert(&pattern, route) else { continue };
                // `/{id}` and `/{handle}` are one route as far as an address can tell.
                let known = router.at(&pattern).map(|found| found.value.group);
                if !matches!(error, matchit::InsertError::Conflict { .. }) || known != Ok(group) {
                    return Err(RouteError { pattern, reason: error.to_string() });
                }
            }
        }
        Ok(Self(Arc::new(router)))
    }

    /// The route that a path follows.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Route> {
        self.0.at(path).ok().map(|found| found.value)
    }
}

/// What was found for a request, kept with it.
struct Found(Option<Route>);

/// The pattern a request follows; `None` where it follows none.
pub(crate) fn pattern_of(request: &ServiceRequest) -> Option<Arc<str>> {
    if request.extensions().get::<Found>().is_none()
        && let Some(routes) = request.app_data::<Routes>()
    {
        // As the router reads it: what is escaped without need is no other address.
        let found = Found(routes.find(request.match_info().as_str()).cloned());
        request.extensions_mut().insert(found);
    }
    if let Some(Found(Some(route))) = request.extensions().get() {
        return Some(Arc::clone(&route.pattern));
    }
    // The few that belong to no group.
    request.match_pattern().map(Into::into)
}

/// Lets only those requests in that follow a route of this group, by the application's [`Routes`].
#[derive(Clone, Copy, Debug)]
pub struct InGroup(pub usize);

impl Guard for InGroup {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        if let Some(Found(route)) = context.req_data().get() {
            return route.as_ref().is_some_and(|route| route.group == self.0);
        }
        let routes = context.app_data::<Routes>();
        routes
            .and_then(|routes| routes.find(context.head().uri.path()))
            .is_some_and(|route| route.group == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::Service as _;
    use actix_web::{App, HttpResponse, test as asked, web};

    #[test]
    fn an_address_follows_the_most_precise_pattern() {
        let routes =
            Routes::new([vec!["/a/{id}", "/a/{id}/b", "/a/{handle}"], vec!["/a/list", "/c"]]).unwrap();
        let find = |path: &str| routes.find(path).map(|route| (route.group, route.pattern.to_string()));
        assert_eq!(find("/a/1"), Some((0, "/a/{id}".to_owned())));
        assert_eq!(find("/a/1/b"), Some((0, "/a/{id}/b".to_owned())));
        assert_eq!(find("/a/list"), Some((1, "/a/list".to_owned())));
        assert_eq!(find("/c"), Some((1, "/c".to_owned())));
        for nowhere in ["/a", "/a/", "/a/1/", "/c/", "/c/1", "", "*"] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn two_groups_do_not_share_an_address() {
        let error = Routes::new([["/a/{id}"], ["/a/{handle}"]]).unwrap_err();
        assert!(error.to_string().starts_with("the route /a/{handle} does not fit"), "{error}");
        assert!(Routes::new([["/a/{id"]]).is_err());
    }

    #[actix_web::test]
    async fn a_group_is_asked_only_for_its_own_with_and_without_spans() {
        let routes = Routes::new([["/a/{id}"], ["/b/{id}"]]).unwrap();
        let room = |group: usize, path: &'static str| {
            let answer = move |id: web::Path<String>| async move { format!("{group} {id}") };
            web::scope("").guard(InGroup(group)).route(path, web::get().to(answer))
        };
        let elsewhere = web::to(async || HttpResponse::NotFound().body("nobody"));
        let app = App::new()
            .app_data(routes)
            .service(room(0, "/a/{id}"))
            // Never reached: the first group has no such route, so it is not asked.
            .service(room(0, "/b/{id}"))
            .service(room(1, "/b/{id}"))
            .default_service(elsewhere);
        let spans = asked::init_service(
            App::new().wrap(crate::request_spans::<crate::Nameless>()).configure(|config| {
                config.app_data(Routes::new([["/x/{id}"]]).unwrap());
                let answer = web::get().to(async |id: web::Path<String>| id.into_inner());
                config.service(web::scope("").guard(InGroup(0)).route("/x/{id}", answer));
            }),
        )
        .await;
        let app = asked::init_service(app).await;
        let mut told = Vec::new();
        for path in ["/a/1", "/b/2", "/c/3"] {
            let answer = app.call(asked::TestRequest::get().uri(path).to_request()).await.unwrap();
            told.push(String::from_utf8(asked::read_body(answer).await.to_vec()).unwrap());
        }
        assert_eq!(told, ["0 1", "1 2", "nobody"]);
        // Escaped without need, and escaped because it must be.
        for (path, status) in [("/x/1", 200), ("/%78/1", 200), ("/x/a%2Fb", 200), ("/y/1", 404)] {
            let answer = spans.call(asked::TestRequest::get().uri(path).to_request()).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}");
        }
    }
}
