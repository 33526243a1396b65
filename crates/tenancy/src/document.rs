//! JSON that the database makes, read straight into what it means.

use diesel::deserialize::{self, FromSql, Queryable};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Json, Jsonb, SingleValue};
use serde::de::DeserializeOwned;

/// A column of `json` or `jsonb` as a `T`, with no tree of values in between. A document that is no `T` is an error of the statement.
///
/// Let SQL make `json` (`json_agg`, `json_build_object`), not `jsonb`: it is written as text once, instead of being sorted and packed
/// first and written afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<T>(pub T);

impl<T: DeserializeOwned> FromSql<Json, Pg> for Document<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_slice(value.as_bytes())?))
    }
}

impl<T: DeserializeOwned> FromSql<Jsonb, Pg> for Document<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [1, text @ ..] => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("jsonb of a version nobody knows".into()),
        }
    }
}

impl<T, ST: SingleValue> Queryable<ST, Pg> for Document<T>
where
    Self: FromSql<ST, Pg>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}
