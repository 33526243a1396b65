//! How a validated word travels: as a JSON string and as a `text` (or `integer`) column, always through its `parse`.

/// `FromStr`, `TryFrom<String>`, `TryFrom<&str>`, serde and diesel's `Text` for a type with `parse(&str)` and
/// `as_str(&self)`. `stored` names the rule for text read back from a column.
macro_rules! text_column {
    ([$($generics:tt)*] $type:ty, $error:ty, $expected:literal, stored = $stored:ident) => {
        impl<$($generics)*> std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }

        impl<$($generics)*> TryFrom<String> for $type {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl<$($generics)*> TryFrom<&str> for $type {
            type Error = $error;
            fn try_from(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }

        impl<$($generics)*> AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl<$($generics)*> serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::column::deserialize_text(from, $expected)
            }
        }

        #[cfg(feature = "diesel")]
        impl<DB, $($generics)*> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $type
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, DB>::to_sql(self.as_str(), out)
            }
        }

        #[cfg(feature = "diesel")]
        impl<DB, $($generics)*> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $type
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                Ok(Self::$stored(&text)?)
            }
        }
    };
    ($type:ty, $error:ty, $expected:literal) => {
        $crate::column::text_column!([] $type, $error, $expected, stored = parse);
    };
}
pub(crate) use text_column;

/// serde and diesel's `Integer` for a bounded whole number with `new(u32)` and `get()`.
macro_rules! integer_column {
    ($type:ty, $error:ident) => {
        impl TryFrom<u32> for $type {
            type Error = $error;
            fn try_from(number: u32) -> Result<Self, $error> {
                Self::new(number)
            }
        }

        impl TryFrom<i64> for $type {
            type Error = $error;
            fn try_from(number: i64) -> Result<Self, $error> {
                u32::try_from(number).map_err(|_| $error).and_then(Self::new)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                text.parse::<u32>().map_err(|_| $error).and_then(Self::new)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.get().fmt(f)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_u32(self.get())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                // i64, not u32: −1 then hears our range and not the word "u32".
                let number = <i64 as serde::Deserialize>::deserialize(from)?;
                Self::try_from(number).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "diesel")]
        impl diesel::serialize::ToSql<diesel::sql_types::Integer, diesel::pg::Pg> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                let number = i32::try_from(self.get())?;
                diesel::serialize::ToSql::<diesel::sql_types::Integer, diesel::pg::Pg>::to_sql(
                    &number,
                    &mut out.reborrow(),
                )
            }
        }

        #[cfg(feature = "diesel")]
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Integer, DB> for $type
        where
            DB: diesel::backend::Backend,
            i32: diesel::deserialize::FromSql<diesel::sql_types::Integer, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let number =
                    <i32 as diesel::deserialize::FromSql<diesel::sql_types::Integer, DB>>::from_sql(bytes)?;
                Ok(Self::try_from(i64::from(number))?)
            }
        }
    };
}
pub(crate) use integer_column;

/// Read a string and parse it; a value that is not a string hears `expected`.
pub(crate) fn deserialize_text<'de, D, T>(from: D, expected: &'static str) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    struct Words<T>(&'static str, std::marker::PhantomData<T>);

    impl<T> serde::de::Visitor<'_> for Words<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    from.deserialize_str(Words(expected, std::marker::PhantomData))
}
