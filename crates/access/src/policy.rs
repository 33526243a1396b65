//! The policy: Casbin decides, bit sets remember.
//!
//! A role's grants are loaded into a Casbin enforcer, every registered permission is asked once, and the answers are kept as one
//! bit each. A check is then a bit test. Casbin stays the source of truth: a test compares both for every triple.
//!
//! Compiled sets are shared between stores by their grants. That is sound because the model uses the names of actors, roles and places
//! only for equality, which [`Policy::load`] probes before it believes a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use moka::sync::Cache;

use crate::permission::{Catalogue, PermissionKey};

/// Distinct sets of grants kept compiled; most stores keep the roles they started with.
const COMPILED: u64 = 4096;

/// What a role or a key holds: `object:action`, `object:*`, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    object: String,
    action: String,
}

/// A grant is not of the form `object:action`, `object:*` or `*`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `object:action`, `object:*` or `*`, in lower case")]
pub struct GrantError;

impl Grant {
    /// From two columns, as `role_permissions` keeps them.
    pub fn new(object: &str, action: &str) -> Result<Self, GrantError> {
        let object_fits = is_word(object) || (object == "*" && action == "*");
        let action_fits = is_word(action) || action == "*";
        if object_fits && action_fits {
            Ok(Self { object: object.to_owned(), action: action.to_owned() })
        } else {
            Err(GrantError)
        }
    }

    /// The noun, or `*`.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// The verb, or `*`.
    pub fn action(&self) -> &str {
        &self.action
    }
}

fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text.split_once(':') {
            Some((object, action)) => Self::new(object, action),
            None if text == "*" => Self::new("*", "*"),
            None => Err(GrantError),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.object == "*" { f.write_str("*") } else { write!(f, "{}:{}", self.object, self.action) }
    }
}

/// One bit per registered permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(Box<[u64]>);

impl PermissionSet {
    fn of(answers: &[bool]) -> Self {
        let words = answers.chunks(64).map(|chunk| {
            chunk.iter().enumerate().fold(0_u64, |word, (bit, yes)| word | (u64::from(*yes) << bit))
        });
        Self(words.collect())
    }

    /// Whether the permission with this number is held.
    pub fn holds(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| (word >> (number % 64)) & 1 == 1)
    }

    /// Whether everything in `other` is held too: nobody grants what they do not hold.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().enumerate().all(|(at, word)| word & !self.0.get(at).copied().unwrap_or(0) == 0)
    }
}

/// Why a policy could not be used. At start-up this stops the plane; later it means "deny".
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A line of the role file is not `role, object, action`.
    #[error("line {line} of the role file is not `role, object, action`")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// The model grants too much or too little when probed.
    #[error("the model is not usable: {0}")]
    Model(&'static str),
    /// No permission was registered.
    #[error("no permission is registered")]
    Empty,
    /// Casbin refused; whatever was asked is denied.
    #[error("casbin: {0}")]
    Casbin(#[from] casbin::Error),
    /// A look-up that others shared failed; the text is its cause.
    #[error("{0}")]
    Refused(String),
    /// The compiling thread was lost.
    #[error("compiling the policy was interrupted")]
    Interrupted,
}

/// The policy of one plane: its model, its registered permissions and its built-in roles.
pub struct Policy {
    model: String,
    shape: Shape,
    catalogue: Arc<Catalogue>,
    built_in: BTreeMap<String, Arc<PermissionSet>>,
    compiled: Cache<Vec<Grant>, Arc<PermissionSet>>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("built_in", &self.built_in.keys()).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads `model.conf` and `roles.csv` (`role, object, action` a line, `#` comments), probes the model and compiles the
    /// built-in roles. `keys` are all permissions of the plane.
    pub async fn load(
        model: &str,
        roles: &str,
        keys: impl IntoIterator<Item = PermissionKey>,
    ) -> Result<Self, PolicyError> {
        let catalogue = Arc::new(Catalogue::new(keys));
        let mut policy = Self {
            model: model.to_owned(),
            shape: Shape::of(model)?,
            catalogue,
            built_in: BTreeMap::new(),
            compiled: Cache::new(COMPILED),
        };
        policy.probe().await?;
        for (role, grants) in read_roles(roles)? {
            let set = policy.compile(&grants).await?;
            policy.built_in.insert(role, set);
        }
        Ok(policy)
    }

    /// Every registered permission.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What a built-in role holds.
    pub fn built_in(&self, role: &str) -> Option<Arc<PermissionSet>> {
        self.built_in.get(role).map(Arc::clone)
    }

    /// The names of the built-in roles.
    pub fn built_in_roles(&self) -> impl Iterator<Item = &str> {
        self.built_in.keys().map(String::as_str)
    }

    /// Whether a set holds a permission. An unregistered permission is held by nobody.
    pub fn allows(&self, set: &PermissionSet, key: PermissionKey) -> bool {
        match self.catalogue.number(key) {
            Some(number) => set.holds(number),
            None => {
                tracing::error!(permission = %key, "a permission is asked for that the plane never registered");
                false
            }
        }
    }

    /// Compiles grants to a bit set by asking Casbin about every permission; remembered per distinct grants. Grants that name
    /// nothing registered hold nothing.
    pub async fn compile(&self, grants: &[Grant]) -> Result<Arc<PermissionSet>, PolicyError> {
        let mut sorted = grants.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if let Some(set) = self.compiled.get(&sorted) {
            return Ok(set);
        }
        let lines = Lines::default().role("role", "place", &sorted).member("actor", "role", "place");
        let subject = self.shape.subject("actor", "role");
        let enforcer = self.enforcer(&lines).await?;
        let catalogue = Arc::clone(&self.catalogue);
        let asking = tokio::task::spawn_blocking(move || {
            let ask = |key: &PermissionKey| enforcer.enforce((subject, "place", key.object, key.action));
            catalogue.keys().iter().map(ask).collect::<Result<Vec<bool>, _>>()
        });
        let answers = asking.await.map_err(|_| PolicyError::Interrupted)??;
        let set = Arc::new(PermissionSet::of(&answers));
        self.compiled.insert(sorted, Arc::clone(&set));
        Ok(set)
    }

    /// A Casbin enforcer over these lines, in the shape the model asks for.
    async fn enforcer(&self, lines: &Lines) -> Result<Enforcer, PolicyError> {
        let model = DefaultModel::from_str(&self.model).await?;
        let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
        let grants: BTreeSet<_> = lines.grants.iter().flat_map(|line| self.spelled(line)).collect();
        if !grants.is_empty() {
            enforcer.add_policies(grants.into_iter().collect()).await?;
        }
        if self.shape.has_members && !lines.members.is_empty() {
            enforcer.add_grouping_policies(lines.members.iter().cloned().collect()).await?;
        }
        Ok(enforcer)
    }

    /// One grant as Casbin policy lines. `*` alone becomes `object, *` for every object, so that the model needs no rule for it.
    fn spelled(&self, (role, place, grant): &(String, String, Grant)) -> Vec<Vec<String>> {
        let line = |object: &str| {
            let (object, action) = (object.to_owned(), grant.action.clone());
            if self.shape.lines_name_the_place {
                vec![role.clone(), place.clone(), object, action]
            } else {
                vec![role.clone(), object, action]
            }
        };
        match grant.object.as_str() {
            "*" => self.catalogue.objects().map(line).collect(),
            object => vec![line(object)],
        }
    }

    /// Asks a model the questions a wrong one gets wrong: another person, another role, another place, another permission.
    async fn probe(&self) -> Result<(), PolicyError> {
        let first = *self.catalogue.keys().first().ok_or(PolicyError::Empty)?;
        let grant = Grant { object: first.object.to_owned(), action: first.action.to_owned() };
        let lines = Lines::default()
            .role("role_a", "place_a", &[grant])
            .member("actor_a", "role_a", "place_a")
            .member("actor_b", "role_b", "place_a");
        let enforcer = self.enforcer(&lines).await?;
        let ask = |who: &str, place: &str, object: &str, action: &str| {
            let (actor, role) = (format!("actor_{who}"), format!("role_{who}"));
            enforcer.enforce((self.shape.subject(&actor, &role), place, object, action))
        };
        if !ask("a", "place_a", first.object, first.action)? {
            return Err(PolicyError::Model("a granted permission is refused"));
        }
        if ask("b", "place_a", first.object, first.action)? {
            return Err(PolicyError::Model("another role is let in"));
        }
        if ask("c", "place_a", first.object, first.action)? {
            return Err(PolicyError::Model("a stranger is let in"));
        }
        if ask("a", "place_b", first.object, first.action)? {
            return Err(PolicyError::Model("another place is let in"));
        }
        if ask("a", "place_a", first.object, "never_granted")?
            || ask("a", "place_a", "never_granted", first.action)?
        {
            return Err(PolicyError::Model("another permission is let in"));
        }
        Ok(())
    }
}

/// What is loaded into an enforcer: grants of roles at a place (a store, an organization), and who has which role there.
#[derive(Default)]
struct Lines {
    grants: Vec<(String, String, Grant)>,
    members: BTreeSet<Vec<String>>,
}

impl Lines {
    fn role(mut self, role: &str, place: &str, grants: &[Grant]) -> Self {
        self.grants.extend(grants.iter().map(|grant| (role.to_owned(), place.to_owned(), grant.clone())));
        self
    }

    fn member(mut self, actor: &str, role: &str, place: &str) -> Self {
        self.members.insert(vec![actor.to_owned(), role.to_owned(), place.to_owned()]);
        self
    }
}

/// The two ways in which models may differ.
#[derive(Clone, Copy)]
struct Shape {
    /// `p = sub, dom, obj, act`: a role's lines hold in one place. Else `p = sub, obj, act`: in every place.
    lines_name_the_place: bool,
    /// `g = _, _, _`: actors are members of roles in a place, and requests name the actor. Else requests name the role.
    has_members: bool,
}

impl Shape {
    fn of(model: &str) -> Result<Self, PolicyError> {
        let definition = |wanted: &str| {
            let found =
                model.lines().find_map(|line| line.split_once('=').filter(|(name, _)| name.trim() == wanted));
            found.map(|(_, fields)| fields.split(',').map(str::trim).collect::<Vec<_>>())
        };
        let lines_name_the_place = match definition("p").as_deref() {
            Some(["sub", "dom", "obj", "act"]) => true,
            Some(["sub", "obj", "act"]) => false,
            _ => return Err(PolicyError::Model("`p` must be `sub, dom, obj, act` or `sub, obj, act`")),
        };
        let has_members = match definition("g").as_deref() {
            Some(["_", "_", "_"]) => true,
            None => false,
            Some(_) => return Err(PolicyError::Model("`g` must be `_, _, _` or absent")),
        };
        Ok(Self { lines_name_the_place, has_members })
    }

    fn subject<'n>(self, actor: &'n str, role: &'n str) -> &'n str {
        if self.has_members { actor } else { role }
    }
}

/// Reads a role file into its roles and their grants, in order of names. Public for whoever seeds a store's own copy.
pub fn read_roles(text: &str) -> Result<BTreeMap<String, Vec<Grant>>, PolicyError> {
    let mut roles = BTreeMap::<String, Vec<Grant>>::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || PolicyError::Line { line: at + 1 };
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let [role, object, action] = fields.as_slice() else { return Err(wrong()) };
        if !is_word(role) {
            return Err(wrong());
        }
        let grant = Grant::new(object, action).map_err(|_| wrong())?;
        roles.entry((*role).to_owned()).or_default().push(grant);
    }
    Ok(roles)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
