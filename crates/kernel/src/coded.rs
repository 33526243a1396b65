//! Closed lists whose members are known by a code: one pointer into a sorted table.

/// Gives a `struct $name(&'static Row)` its life. The file has a `Row` with `code` and `name`, and a `TABLE` sorted by code.
macro_rules! coded {
    ($name:ident, $error:ident, $serde:literal) => {
        impl $name {
            /// The member with this code, exactly as ISO writes it: capitals, no spaces.
            pub fn parse(code: &str) -> Result<Self, $error> {
                let place = TABLE.binary_search_by(|row| row.code.cmp(code)).map_err(|_| $error)?;
                TABLE.get(place).map(Self).ok_or($error)
            }

            #[doc = concat!("[`", stringify!($name), "::parse`] for constants.")]
            pub const fn find(code: &str) -> Option<Self> {
                let mut place = 0;
                while place < TABLE.len() {
                    if $crate::coded::same(TABLE[place].code.as_bytes(), code.as_bytes()) {
                        return Some(Self(&TABLE[place]));
                    }
                    place += 1;
                }
                None
            }

            /// A constant of this file; a code that is not in the table stops the build.
            const fn known(code: &str) -> Self {
                match Self::find(code) {
                    Some(known) => known,
                    None => panic!("not in the table"),
                }
            }

            /// The code, in capitals.
            pub const fn code(self) -> &'static str {
                self.0.code
            }

            /// The code, in capitals.
            pub const fn as_str(&self) -> &'static str {
                self.0.code
            }

            /// The English name.
            pub const fn name(self) -> &'static str {
                self.0.name
            }

            /// All of them, by code.
            pub fn all() -> impl ExactSizeIterator<Item = Self> {
                TABLE.iter().map(Self)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.code == other.0.code
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.code.cmp(other.0.code)
            }
        }
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.code.hash(state);
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.0.code)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0.code)
            }
        }

        $crate::column::text_column!($name, $error, $serde);
    };
}

pub(crate) use coded;

/// Equality that a constant can ask for.
pub(crate) const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut place = 0;
    while place < a.len() {
        if a[place] != b[place] {
            return false;
        }
        place += 1;
    }
    true
}
