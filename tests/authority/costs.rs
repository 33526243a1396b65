//! `costs.txt`: how many SQL statements in how many transactions an answer costs, for every operation of a store that a sound request does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use souk_proofs::{Answer, Operation, Plane};

use super::cast::Actor;

const FILE: &str = include_str!("costs.txt");
const HEAD: &str = "# What the database is asked for one answer: statements/transactions, as the owner, or as the first who may. Whoever changes a
# figure says why in the commit. Cheap pages may come from memory. A proof writes this file anew to target/costs.txt.
";

/// Depend on what else is under way: who looks first, and what is remembered.
const UNSTEADY: [&str; 0] = [];

#[derive(Default)]
pub struct Costs(BTreeMap<String, (bool, String)>);

impl Costs {
    /// Notes what a successful answer cost.
    pub fn note(&mut self, operation: &Operation, actor: &Actor, answer: &Answer) {
        let cost = answer.header("x-souk-statements");
        if operation.plane != Plane::Store || answer.status >= 400 || cost.is_empty() {
            return;
        }
        let (name, owner) = (operation.to_string(), actor.name == "owner");
        let known = self.0.get(&name);
        if known.is_none_or(|(by_owner, _)| owner && !by_owner) {
            self.0.insert(name, (owner, cost.to_owned()));
        }
    }

    /// What differs from the committed figures; the new ones are written where they can be taken from.
    pub fn differences(&self) -> Vec<String> {
        let committed: BTreeMap<&str, &str> = FILE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, cost)| (name.trim_end(), cost))
            .collect();
        let mut text = HEAD.to_owned();
        for (name, (_, cost)) in &self.0 {
            let _ = writeln!(text, "{name:<85} {cost}");
        }
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/costs.txt");
        std::fs::write(place, text).expect("target/ can be written to");
        let steady = |name: &&str| !UNSTEADY.contains(name);
        let measured = self.0.iter().map(|(name, (_, cost))| (name.as_str(), cost.as_str()));
        let measured: BTreeMap<&str, &str> = measured.collect();
        let names: std::collections::BTreeSet<&str> =
            measured.keys().chain(committed.keys()).copied().collect();
        names
            .into_iter()
            .filter(steady)
            .filter(|name| measured.get(name) != committed.get(name))
            .map(|name| {
                let told = |figures: &BTreeMap<&str, &str>| {
                    figures.get(name).map_or("none", |cost| *cost).to_owned()
                };
                format!(
                    "{name}: {} statements/transactions, {} in tests/authority/costs.txt",
                    told(&measured),
                    told(&committed)
                )
            })
            .collect()
    }
}
