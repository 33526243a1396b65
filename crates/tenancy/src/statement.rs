//! Raw statements that stay prepared, and the comment that keeps one plan per store.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AsQuery, AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;
use diesel::result::Error;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel_async::AsyncConnectionCore;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use tracing::Span;

use crate::lane::Connection;

type Row = <Connection as AsyncConnectionCore>::Row<'static, 'static>;

/// A statement written by hand, with `$1`…`$n` where values go.
///
/// Rows come by column name (`#[derive(QueryableByName)]`). Unlike `diesel::sql_query` it is prepared once per
/// connection and store and then kept, which is why the text must be `'static`: a text built at run time
/// would grow the cache for ever, and invites values into the text.
pub fn sql(text: &'static str) -> Sql {
    Sql { text }
}

/// See [`sql`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a statement does nothing until a transaction runs it"]
pub struct Sql {
    text: &'static str,
}

impl Sql {
    /// Gives `$1` its value; `ST` is the SQL type, as in `.bind::<Text, _>(name)`.
    pub fn bind<ST, V>(self, value: V) -> Bound<Self, V, ST> {
        Bound { before: self, value, sql_type: PhantomData }
    }
}

/// A statement with one more value bound.
#[derive(Clone, Copy, Debug)]
#[must_use = "a statement does nothing until a transaction runs it"]
pub struct Bound<Q, V, ST> {
    before: Q,
    value: V,
    sql_type: PhantomData<ST>,
}

impl<Q, V, ST> Bound<Q, V, ST> {
    /// Gives the next `$n` its value.
    pub fn bind<ST2, V2>(self, value: V2) -> Bound<Self, V2, ST2> {
        Bound { before: self, value, sql_type: PhantomData }
    }
}

impl QueryFragment<Pg> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.text);
        Ok(())
    }
}

impl<Q, V, ST> QueryFragment<Pg> for Bound<Q, V, ST>
where
    Q: QueryFragment<Pg>,
    V: ToSql<ST, Pg>,
    Pg: HasSqlType<ST>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

// No static id: the statement cache must go by the text, or every raw statement would be the same one.
impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, V, ST> QueryId for Bound<Q, V, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql {
    type SqlType = Untyped;
}

impl<Q, V, ST> Query for Bound<Q, V, ST> {
    type SqlType = Untyped;
}

/// Any query, followed by ` /* s_… */`.
///
/// PostgreSQL plans a prepared statement again whenever the search path is not the one it was planned under
/// (300–450 µs for a join). A text of its own per store gives each store its own prepared statement, whose plan
/// stays valid. The static `QueryId` must go with it, or one store's prepared statement would answer another's
/// query under the same type.
pub(crate) struct Tagged<'t, Q> {
    pub(crate) query: Q,
    pub(crate) tag: &'t str,
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Tagged<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(self.tag);
        Ok(())
    }
}

impl<Q> QueryId for Tagged<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Tagged<'_, Q> {
    type SqlType = Q::SqlType;
}

/// A query whose rows are `U`s: every diesel query that selects them, and every [`sql`] statement if `U` is
/// `QueryableByName`. Implemented for all of these, never by hand.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a query whose rows are `{U}`")]
pub trait Rows<U> {
    #[doc(hidden)]
    fn send<'t>(
        self,
        tag: &str,
        connection: &'t mut Connection,
    ) -> (Span, BoxFuture<'t, QueryResult<Vec<U>>>);
}

impl<Q, U, ST> Rows<U> for Q
where
    Q: AsQuery,
    Q::Query: QueryFragment<Pg> + QueryId,
    Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
    U: FromSqlRow<ST, Pg> + Send + 'static,
    Pg: QueryMetadata<Q::SqlType>,
{
    fn send<'t>(
        self,
        tag: &str,
        connection: &'t mut Connection,
    ) -> (Span, BoxFuture<'t, QueryResult<Vec<U>>>) {
        let query = Tagged { query: self.as_query(), tag };
        let span = span_of(&query);
        // The query becomes text and bytes here, so that the future owes nothing to its type.
        let rows = AsyncConnectionCore::load(connection, query);
        let values = async move {
            let rows: Vec<Row> = rows.await?.try_collect().await?;
            rows.iter()
                .map(U::build_from_row)
                .collect::<Result<Vec<U>, _>>()
                .map_err(Error::DeserializationError)
        };
        (span, values.boxed())
    }
}

/// Sends a statement without rows.
pub(crate) fn send<'t, Q>(
    query: Q,
    tag: &str,
    connection: &'t mut Connection,
) -> (Span, BoxFuture<'t, QueryResult<usize>>)
where
    Q: QueryFragment<Pg> + QueryId,
{
    let query = Tagged { query, tag };
    let span = span_of(&query);
    (span, AsyncConnectionCore::execute_returning_count(connection, query))
}

/// The text is rendered only for whoever listens; it has placeholders, never values.
fn span_of<Q: QueryFragment<Pg>>(query: &Q) -> Span {
    // By this target exported traces have statements although logs do not.
    let span = tracing::debug_span!(
        target: "souk::statement",
        "statement",
        db.system = "postgresql",
        db.query.text = tracing::field::Empty
    );
    if !span.is_disabled() {
        let mut text = PgQueryBuilder::default();
        if query.to_sql(&mut text, &Pg).is_ok() {
            span.record("db.query.text", text.finish());
        }
    }
    span
}
