//! What may be done: permissions as types, and the catalogue of all of them.

use std::collections::HashMap;
use std::fmt;

mod sealed {
    pub trait Sealed {}
}

/// Whether a permission only looks or also changes. Closed: [`Reads`] and [`Writes`].
pub trait Mode: sealed::Sealed + Send + Sync + 'static {
    /// True when transactions of this mode may change rows.
    const WRITES: bool;
}

/// The permission opens `READ ONLY` transactions.
#[derive(Debug)]
pub enum Reads {}

/// The permission also opens writing transactions.
#[derive(Debug)]
pub enum Writes {}

impl sealed::Sealed for Reads {}
impl sealed::Sealed for Writes {}
impl Mode for Reads {
    const WRITES: bool = false;
}
impl Mode for Writes {
    const WRITES: bool = true;
}

/// One permission, `object:action`. Declare it with [`permission!`](crate::permission) or [`permissions!`](crate::permissions).
pub trait Permission: Send + Sync + 'static {
    /// The noun, as in `roles.csv`: `product`.
    const OBJECT: &'static str;
    /// The verb, as in `roles.csv`: `view`.
    const ACTION: &'static str;
    /// [`Reads`] or [`Writes`]: decides whether `write` exists on the permit.
    type Access: Mode;
    /// Whether a person must have proved who they are lately: for acts that cannot be undone, or that give others power.
    const STEP_UP: bool = false;
    /// Both names in one value, for the catalogue.
    const KEY: PermissionKey = PermissionKey { object: Self::OBJECT, action: Self::ACTION };
}

/// The name of a permission as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermissionKey {
    /// The noun.
    pub object: &'static str,
    /// The verb.
    pub action: &'static str,
}

impl fmt::Display for PermissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.object, self.action)
    }
}

/// Declares one permission type: `permission!(View, "product", "view", Reads);`. A dangerous one ends in `, step_up`.
#[macro_export]
macro_rules! permission {
    (@step_up) => { false };
    (@step_up step_up) => { true };
    ($(#[$doc:meta])* $name:ident, $object:literal, $action:literal, $access:ident $(, $step_up:ident)?) => {
        $(#[$doc])*
        #[doc = concat!("\n\nThe permission `", $object, ":", $action, "`.")]
        #[derive(Debug)]
        pub enum $name {}
        impl $crate::Permission for $name {
            const OBJECT: &'static str = $object;
            const ACTION: &'static str = $action;
            type Access = $crate::$access;
            const STEP_UP: bool = $crate::permission!(@step_up $($step_up)?);
        }
    };
}

/// Declares a capability's permissions together with `ALL`, the list its plane hands to the gate.
///
/// ```
/// souk_access::permissions! {
///     /// See products.
///     View = "product", "view", Reads;
///     Edit = "product", "edit", Writes;
///     /// Only somebody who proved who they are within the last 15 minutes.
///     Burn = "product", "burn", Writes, step_up;
/// }
/// assert_eq!(ALL.len(), 3);
/// ```
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $object:literal, $action:literal, $access:ident $(, $step_up:ident)?;)+) => {
        $($crate::permission!($(#[$doc])* $name, $object, $action, $access $(, $step_up)?);)+
        /// Every permission declared here.
        pub const ALL: &[$crate::PermissionKey] = &[$(<$name as $crate::Permission>::KEY),+];
    };
}

/// Every permission of a plane, numbered: the columns of the compiled policy. A permission that is not listed is refused.
#[derive(Clone, Debug)]
pub struct Catalogue {
    keys: Vec<PermissionKey>,
    index: HashMap<PermissionKey, usize>,
}

impl Catalogue {
    /// Numbers the given permissions; repeats count once, order does not matter.
    pub fn new(keys: impl IntoIterator<Item = PermissionKey>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let index = keys.iter().enumerate().map(|(number, key)| (*key, number)).collect();
        Self { keys, index }
    }

    /// All permissions in the order of their numbers.
    pub fn keys(&self) -> &[PermissionKey] {
        &self.keys
    }

    /// The number of a permission; `None` when the plane never listed it.
    pub fn number(&self, key: PermissionKey) -> Option<usize> {
        self.index.get(&key).copied()
    }

    /// The distinct objects, in order.
    pub fn objects(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.keys
            .chunk_by(|a, b| a.object == b.object)
            .filter_map(|group| group.first().map(|key| key.object))
    }
}
