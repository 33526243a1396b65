//! Who is acting, and which rows are theirs.

use std::fmt;
use std::sync::Arc;

use souk_kernel::{AccountId, ApiKeyId, AppId, CustomerId, SessionId, StaffId, StoreGrantId};

use crate::api_key::{KeyKind, KeyMode};

/// The principal behind a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// No credentials. Holds the built-in role `anyone`.
    Anonymous,
    /// A signed-in customer of this store. Holds the built-in role `shopper`.
    Customer {
        /// The customer.
        id: CustomerId,
        /// The session that asked for the token.
        session: Option<SessionId>,
    },
    /// Someone who works in this store. Holds the role the store gave them.
    Staff {
        /// The staff row.
        id: StaffId,
        /// The person's account at the control plane, if they have one.
        account: Option<AccountId>,
        /// The session at the store itself, of whoever signed in there.
        session: Option<SessionId>,
        /// The role's name.
        role: Arc<str>,
    },
    /// A machine. Publishable keys hold `shopper`; secret keys hold their scopes.
    ApiKey {
        /// The key's row.
        id: ApiKeyId,
        /// Publishable or secret.
        kind: KeyKind,
        /// Test or live.
        mode: KeyMode,
        /// `object:action`, `object:*` or `*`; empty for publishable keys.
        scopes: Arc<[String]>,
    },
    /// An integration that the store's people approved. Holds the scopes of its token.
    App {
        /// The app's row.
        id: AppId,
        /// `object:action`, `object:*` or `*`.
        scopes: Arc<[String]>,
    },
    /// Somebody of the platform whom a grant lets look, for a while and with a reason. Changes nothing; each request is told in the log.
    Platform {
        /// The grant.
        grant: StoreGrantId,
        /// The person's account at the control plane.
        account: AccountId,
    },
    /// Work of our own, with the reason that was logged.
    Service {
        /// Which worker.
        name: &'static str,
        /// Why.
        reason: Arc<str>,
    },
}

impl Actor {
    /// The customer, if the actor is one.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer { id, .. } => Some(*id),
            Self::Anonymous
            | Self::Staff { .. }
            | Self::ApiKey { .. }
            | Self::App { .. }
            | Self::Platform { .. }
            | Self::Service { .. } => None,
        }
    }

    /// Which rows the actor reaches inside the store, whatever the permission.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Anonymous | Self::ApiKey { kind: KeyKind::Publishable, .. } => Reach::Nobody,
            Self::Customer { id, .. } => Reach::Own(*id),
            Self::Staff { .. }
            | Self::ApiKey { kind: KeyKind::Secret, .. }
            | Self::App { .. }
            | Self::Platform { .. }
            | Self::Service { .. } => Reach::Any,
        }
    }

    /// Whether anybody at all could be this actor: nothing distinguishes one caller from the next.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Anonymous | Self::ApiKey { kind: KeyKind::Publishable, .. })
    }

    /// Whether the actor works for the store (staff, secret key, app, ourselves) rather than shops in it.
    pub(crate) fn works_here(&self) -> bool {
        self.reach() == Reach::Any
    }
}

/// A stable text for audit entries and idempotency keys: `staff:stf_…`, `customer:cus_…`, `key:key_…`, `app:app_…`, `platform:acc_…`,
/// `service:…`, `anonymous`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Customer { id, .. } => write!(f, "customer:{id}"),
            Self::Staff { id, .. } => write!(f, "staff:{id}"),
            Self::ApiKey { id, .. } => write!(f, "key:{id}"),
            Self::App { id, .. } => write!(f, "app:{id}"),
            Self::Platform { account, .. } => write!(f, "platform:{account}"),
            Self::Service { name, .. } => write!(f, "service:{name}"),
        }
    }
}

/// Which rows of a store an actor may see. Queries take it; a row outside is `None`, that is 404.
///
/// Whoever is given one can ask what it is,
///
/// ```
/// fn sees_all(reach: souk_access::Reach) -> bool {
///     reach.is_any()
/// }
/// ```
///
/// and cannot make a wider one of it: only [`Actor::reach`] says that rows are somebody's own, or everybody's.
///
/// ```compile_fail,E0603
/// fn widened(_own: souk_access::Reach) -> souk_access::Reach {
///     souk_access::Reach::Any
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No row by right: only what the caller shows a secret for (a cart's, an order's).
    Nobody,
    /// The customer's own rows.
    #[non_exhaustive]
    Own(CustomerId),
    /// Every row of the store.
    #[non_exhaustive]
    Any,
}

impl Reach {
    /// Whether every row of the store is inside.
    pub fn is_any(self) -> bool {
        self == Self::Any
    }

    /// Whether it is somebody's own rows and no others.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// Whether a row that belongs to `owner` (`None`: to a guest) is inside.
    pub fn covers(self, owner: Option<CustomerId>) -> bool {
        match self {
            Self::Nobody => false,
            Self::Own(me) => owner == Some(me),
            Self::Any => true,
        }
    }
}
