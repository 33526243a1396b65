//! Preview before apply: the exact difference a request would make, and a token by which applying refuses to make another one.
//!
//! A handler that moves prices or stock takes [`DryRun`] beside its body. With `?dry_run=true` it reckons the difference in a transaction
//! that reads, and answers with [`Preview::of`]. Else it locks what it changes, reckons the difference again in the same way, asks
//! [`DryRun::agrees`] and only then writes. The token is a digest of what would be done and nothing else: no row keeps it, it opens nothing,
//! and it is good for as long as it is true. What is reckoned must name what it is about (ids) and what is there before, so that equal
//! tokens are equal differences.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::etag::ETag;
use crate::problem::{INTERNAL, PREVIEW_STALE, Problem};

/// Whether to do it, and what was seen before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// Change nothing; answer with what would change, and a token.
    pub dry_run: Option<bool>,
    /// The token of a preview. Refused with `preview_stale` when anything else would change now.
    pub preview: Option<String>,
}

/// What would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview<T> {
    /// To be sent as `preview` to do exactly this.
    #[schema(example = "kYl8pQx3T0mVvCq4bJ1sNg")]
    pub token: String,
    pub changes: Vec<T>,
}

/// What was done, or what would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Previewed<D, T> {
    /// It is done.
    Done(D),
    /// Nothing was done.
    Preview(Preview<T>),
}

impl<T: Serialize> Preview<T> {
    /// The preview of `changes` made by an act of this name (`inventory.adjust`): the same changes of another act have another token.
    ///
    /// # Errors
    /// 500 when the changes are no JSON.
    pub fn of(act: &str, changes: Vec<T>) -> Result<Self, Problem> {
        Ok(Self { token: token(act, &changes)?, changes })
    }
}

impl DryRun {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn only(&self) -> bool {
        self.dry_run == Some(true)
    }

    /// That these changes are those of the preview, if one was named. Ask under the locks of what is about to be written.
    ///
    /// # Errors
    /// 409 `preview_stale` when they are others: roll back. 500 when the changes are no JSON.
    pub fn agrees<T: Serialize>(&self, act: &str, changes: &[T]) -> Result<(), Problem> {
        match &self.preview {
            Some(seen) if *seen != token(act, changes)? => Err(Problem::new(&PREVIEW_STALE)),
            _ => Ok(()),
        }
    }
}

fn token<T: Serialize>(act: &str, changes: &[T]) -> Result<String, Problem> {
    let bytes = serde_json::to_vec(&(act, changes)).map_err(|error| Problem::new(&INTERNAL).source(error))?;
    Ok(ETag::of(&bytes).opaque().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_the_same_changes_of_the_same_act_only() {
        let seen = Preview::of("shelf.count", vec![(1, 2)]).unwrap();
        let asks = |preview: Option<&str>| DryRun { dry_run: None, preview: preview.map(str::to_owned) };
        let named = asks(Some(&seen.token));
        assert!(named.agrees("shelf.count", &[(1, 2)]).is_ok());
        for (act, changes) in [
            ("shelf.count", vec![(1, 3)]),
            ("shelf.count", vec![(1, 2), (1, 2)]),
            ("shelf.count", Vec::new()),
            ("shelf.adjust", vec![(1, 2)]),
        ] {
            let refusal = named.agrees(act, &changes).unwrap_err();
            assert!(refusal.to_string().starts_with("preview_stale"), "{refusal}");
        }
        assert!(asks(None).agrees("shelf.count", &[(1, 3)]).is_ok());
        assert!(asks(Some("")).agrees("shelf.count", &[(1, 2)]).is_err());
    }

    #[test]
    fn only_a_dry_run_changes_nothing() {
        assert!(DryRun { dry_run: Some(true), preview: None }.only());
        assert!(!DryRun { dry_run: Some(false), preview: None }.only());
        assert!(!DryRun::default().only());
    }
}
