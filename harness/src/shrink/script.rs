//! Fewer actions and clients, plainer pauses, and simpler operations.

use std::collections::BTreeMap;

use super::minimize;
use super::shrinker::Shrinker;
use crate::script::{Action, Round, Script, Then};
use crate::session::RunError;

/// The number of names of the subject's list that a script can use.
const CLIENTS: usize = 64;

impl Shrinker<'_> {
    pub(super) fn fewer_actions(&mut self) -> Result<(), RunError> {
        let script = self.best.script.clone();
        let numbered = script.rounds.iter().enumerate();
        let actions: Vec<(usize, Action)> = numbered
            .flat_map(|(round, Round { actions, .. })| {
                actions.iter().map(move |action| (round, action.clone()))
            })
            .collect();
        let with = |part: &[(usize, Action)]| {
            let keep = |(at, round): (usize, &Round)| {
                let actions = part.iter().filter(|(round, _)| *round == at);
                let actions = actions.map(|(_, action)| action.clone());
                Round { actions: actions.collect(), then: round.then }
            };
            let rounds = script.rounds.iter().enumerate().map(keep).collect();
            Script { rounds, ..script.clone() }
        };
        minimize(actions, |part| self.take(self.with_script(with(part))))?;
        let script = self.best.script.clone();
        minimize(script.rounds.clone(), |part| {
            self.take(self.with_script(Script { rounds: part.to_vec(), ..script.clone() }))
        })?;
        Ok(())
    }

    /// Waits for quiescence after each round, or passes a deadline's time, where that makes no
    /// difference.
    pub(super) fn plainer_pauses(&mut self) -> Result<(), RunError> {
        let deadlines = self.subject.deadlines().iter();
        let seconds = deadlines.map(|deadline| u32::try_from(deadline.as_secs()));
        let deadlines = seconds.filter_map(Result::ok).map(Then::Pass);
        let plain: Vec<Then> = [Then::Quiesce].into_iter().chain(deadlines).collect();
        for at in 0..self.best.script.rounds.len() {
            for &then in &plain {
                let mut script = self.best.script.clone();
                let Some(round) = script.rounds.get_mut(at) else { break };
                if round.then == then || round.then == Then::Quiesce {
                    break;
                }
                round.then = then;
                if self.take(self.with_script(script))? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Renames clients and things to the first names of the subject's list and removes clients that do
    /// not act. A client with a name outside the list keeps it, as it has a role.
    pub(super) fn fewer_names(&mut self) -> Result<(), RunError> {
        let subject = self.subject;
        let mut script = self.best.script.clone();
        let mut known: BTreeMap<Option<&'static str>, Vec<String>> = BTreeMap::new();
        let rename = |kind: Option<&'static str>, name: &mut String| {
            let known = known.entry(kind).or_default();
            let at = known.iter().position(|other| other == name).unwrap_or_else(|| {
                known.push(name.clone());
                known.len() - 1
            });
            *name = match kind {
                None => subject.client_name(at),
                Some(kind) => subject.thing_name(kind, at),
            };
        };
        let is_role = |name: &String| !(0..CLIENTS).any(|n| subject.client_name(n) == *name);
        let roles: Vec<String> = script.clients.iter().filter(|c| is_role(c)).cloned().collect();
        let mut rename = rename;
        for action in script.rounds.iter_mut().flat_map(|round| &mut round.actions) {
            if let Action::Do(operation) = action {
                *operation = operation.renamed(|kind, name| {
                    if kind.is_some() || !roles.contains(name) {
                        rename(kind, name);
                    }
                });
            }
        }
        let mut clients: Vec<String> = Vec::new();
        for action in script.rounds.iter().flat_map(|round| &round.actions) {
            let Action::Do(operation) = action else { continue };
            operation.renamed(|kind, name| {
                if kind.is_none() && !clients.contains(name) {
                    clients.push(name.clone());
                }
            });
        }
        clients.sort_by_key(|name| roles.contains(name));
        script.clients = clients;
        self.take(self.with_script(script))?;
        Ok(())
    }

    pub(super) fn simpler_operations(&mut self) -> Result<(), RunError> {
        for at in 0..self.best.script.rounds.len() {
            let actions = self.best.script.rounds.get(at).map_or(0, |round| round.actions.len());
            for nth in 0..actions {
                self.simpler_operation(at, nth)?;
            }
        }
        Ok(())
    }

    /// The first simpler operation in this place with which the invariant is still violated.
    fn simpler_operation(&mut self, at: usize, nth: usize) -> Result<(), RunError> {
        let place = |script: &Script| script.rounds.get(at)?.actions.get(nth).cloned();
        let Some(Action::Do(operation)) = place(&self.best.script) else { return Ok(()) };
        for simpler in operation.simpler() {
            let mut script = self.best.script.clone();
            script.rounds[at].actions[nth] = Action::Do(simpler);
            if self.take(self.with_script(script))? {
                break;
            }
        }
        Ok(())
    }
}
