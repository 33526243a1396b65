//! Raw statements that stay prepared, and the comment that keeps one plan per store.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement written by hand, with `$1`…`$n` where values go.
///
/// Rows come by column name (`#[derive(QueryableByName)]`). Unlike `diesel::sql_query` it is prepared once per
/// connection and store and then kept, which is why the text must be `'static`: a text built at run time
/// would grow the cache for ever, and invites values into the text.
#[must_use]
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
