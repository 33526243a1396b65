//! Pages of a list: how many, after which, and what comes next. No offsets.

use std::ops::Deref;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload, http::header,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::{
    cursor::{Cursor, CursorKey},
    problem::{INTERNAL, Problem, VALIDATION},
    query,
    threshold::Behind,
};

/// Items of a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// Most items of a page.
pub const MAX_LIMIT: u32 = 100;

/// Which page is wanted: `?limit=20&after=<cursor>`. An extractor; other parameters are left to
/// [`Query`](crate::Query). A limit outside 1 to 100 is 422.
#[derive(Debug, Clone, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items wanted, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20, required = false)]
    pub limit: u32,
    /// `page.next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: Option<Cursor>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: None }
    }
}

impl Paging {
    /// The first page of this many items, for callers that are not HTTP. Clamped to 1 to 100.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { limit: limit.clamp(1, MAX_LIMIT), after: None }
    }

    /// Rows to ask the database for: one more than shown, which tells whether there are more.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The position to continue after; `None` on the first page; 400 when the cursor is not for this scope.
    pub fn position<T: DeserializeOwned>(&self, key: &CursorKey, scope: &str) -> Result<Option<T>, Problem> {
        self.after.as_ref().map(|cursor| cursor.open(key, scope)).transpose()
    }
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<u32>,
    after: Option<Cursor>,
}

impl Wanted {
    fn paging(self) -> Result<Paging, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if (1..=MAX_LIMIT).contains(&limit) {
            Ok(Paging { limit, after: self.after.filter(|cursor| !cursor.as_str().is_empty()) })
        } else {
            Err(Problem::new(&VALIDATION).field("?limit", "out_of_range", "must be 1 to 100"))
        }
    }
}

impl Paging {
    fn of(req: &HttpRequest) -> Result<Self, Problem> {
        query::parse::<Wanted>(req.query_string()).and_then(Wanted::paging)
    }
}

impl FromRequest for Paging {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Behind::new(req, Self::of(req))
    }
}

/// [`Paging`] of a list without filters: any other parameter is 422, as where a [`Query`](crate::Query) stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagingOnly(pub Paging);

impl Deref for PagingOnly {
    type Target = Paging;

    fn deref(&self) -> &Paging {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingElse {}

impl FromRequest for PagingOnly {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let strict = query::parse::<NothingElse>(req.query_string());
        Behind::new(req, strict.and_then(|_| Paging::of(req)).map(Self))
    }
}

/// Where the list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageInfo {
    /// The cursor of the next page, to be sent as `after`; null on the last page.
    pub next: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// One page. As a reply: 200 with `Link: <…>; rel="next"` that keeps the other query parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

impl<T> Page<T> {
    /// The page of rows fetched with [`Paging::fetch`]: drops the extra row and signs the position of the last one
    /// kept. `position` must name the sort columns of a row, the unique one last.
    pub fn cut<P: Serialize>(
        mut rows: Vec<T>,
        paging: &Paging,
        key: &CursorKey,
        scope: &str,
        position: impl Fn(&T) -> P,
    ) -> Result<Self, Problem> {
        let has_more = rows.len() > paging.limit as usize;
        rows.truncate(paging.limit as usize);
        let next = match rows.last() {
            Some(last) if has_more => Some(Cursor::sign(key, scope, &position(last))?.into_string()),
            _ => None,
        };
        Ok(Self { data: rows, page: PageInfo { has_more: next.is_some(), next } })
    }

    /// A list known to be complete.
    #[must_use]
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, page: PageInfo { next: None, has_more: false } }
    }

    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(each).collect(), page: self.page }
    }
}

/// The path and query of the next page. Relative, so that it holds behind any proxy.
fn next_link(req: &HttpRequest, next: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(req.query_string().as_bytes()) {
        if name != "after" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("after", next);
    format!("<{}?{}>; rel=\"next\"", req.uri().path(), query.finish())
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let body = match serde_json::to_vec(&self) {
            Ok(body) => body,
            Err(error) => return HttpResponse::from_error(Problem::new(&INTERNAL).source(error)),
        };
        let mut reply = HttpResponse::Ok();
        reply.content_type("application/json");
        if let Some(next) = &self.page.next {
            reply.insert_header((header::LINK, next_link(req, next)));
        }
        reply.body(body)
    }
}

#[cfg(test)]
mod tests;
