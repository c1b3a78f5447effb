//! The feed: what the browsers receive, in order, with a backlog for those that come later.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::broadcast;

/// The number of records that a browser which connects receives at most.
const BACKLOG: usize = 5000;

/// The number of pieces that a browser may lag behind. It connects again after more.
const LAG: usize = 256;

/// A piece of the feed.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Records, and the number of the last one.
    Records(usize, String),
    /// The state of the world.
    State(String),
    /// The state of the build of the next program.
    Build(String),
}

/// The feed.
#[derive(Debug)]
pub(super) struct Feed {
    kept: Mutex<Kept>,
    pieces: broadcast::Sender<Piece>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<(usize, String)>,
    state: Option<String>,
    build: Option<String>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { kept: Mutex::default(), pieces: broadcast::Sender::new(LAG), limit: BACKLOG }
    }
}

impl Feed {
    /// Adds records, as the console shows them.
    pub(super) fn records(&self, views: Vec<(usize, Value)>) {
        let Some(&(last, _)) = views.last() else { return };
        let texts: Vec<_> = views.into_iter().map(|(n, view)| (n, view.to_string())).collect();
        let mut kept = self.kept.lock();
        let piece = array(texts.iter());
        kept.records.extend(texts);
        let surplus = kept.records.len().saturating_sub(self.limit);
        kept.records.drain(..surplus);
        // Without browsers nobody receives it.
        _ = self.pieces.send(Piece::Records(last, piece));
    }

    /// Replaces the state.
    pub(super) fn state(&self, state: &Value) {
        let text = state.to_string();
        let mut kept = self.kept.lock();
        kept.state = Some(text.clone());
        _ = self.pieces.send(Piece::State(text));
    }

    /// Replaces the state of the build.
    pub(super) fn build(&self, text: String) {
        let mut kept = self.kept.lock();
        kept.build = Some(text.clone());
        _ = self.pieces.send(Piece::Build(text));
    }

    /// The records after the one of this number so far, and those to come.
    pub(super) fn subscribe(
        &self,
        after: Option<usize>,
    ) -> (Vec<Piece>, broadcast::Receiver<Piece>) {
        let kept = self.kept.lock();
        let is_new = |record: &&(usize, String)| after.is_none_or(|after| record.0 > after);
        let mut missed: Vec<Piece> = kept.state.iter().cloned().map(Piece::State).collect();
        missed.extend(kept.build.iter().cloned().map(Piece::Build));
        let mut records = kept.records.iter().filter(is_new).peekable();
        if records.peek().is_some()
            && let Some((last, _)) = kept.records.back()
        {
            missed.push(Piece::Records(*last, array(records)));
        }
        (missed, self.pieces.subscribe())
    }
}

fn array<'a>(texts: impl Iterator<Item = &'a (usize, String)>) -> String {
    let texts: Vec<&str> = texts.map(|(_, text)| text.as_str()).collect();
    format!("[{}]", texts.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_browser_that_comes_back_receives_what_it_missed() {
        let feed = Feed { limit: 3, ..Feed::default() };
        feed.records((0..5).map(|n| (n, json!(n))).collect());
        let missed = |after| match feed.subscribe(after).0.as_slice() {
            [Piece::Records(last, text)] => (*last, text.clone()),
            other => (0, format!("{other:?}")),
        };
        assert_eq!(missed(None), (4, "[2,3,4]".to_owned()));
        assert_eq!(missed(Some(3)), (4, "[4]".to_owned()));
        assert_eq!(missed(Some(4)), (0, "[]".to_owned()));
        let (_, mut coming) = feed.subscribe(Some(4));
        feed.records(vec![(5, json!(5))]);
        assert!(matches!(coming.try_recv(), Ok(Piece::Records(5, text)) if text == "[5]"));
    }
}
