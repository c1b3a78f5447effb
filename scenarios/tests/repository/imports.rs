//! The paths that Rust source names: `use crate::a::{b, c::D}` names `crate::a::b` and
//! `crate::a::c::D`. A scanner and not a parser: it knows comments, groups and segments.

/// A path, segment by segment.
pub(super) type Path = Vec<String>;

/// The paths in `source` that begin with one of these segments. Comments do not count.
pub(super) fn paths(source: &str, roots: &[&str]) -> Vec<Path> {
    let source: String = source.lines().map(|line| code(line).to_owned() + "\n").collect();
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, c) in source.char_indices() {
        let starts = !is_word(before) && before != ':' && is_word(c);
        before = c;
        let rest = &source[at..];
        let is_root = |root: &&str| {
            rest.strip_prefix(*root).is_some_and(|rest| rest.trim_start().starts_with("::"))
        };
        if starts && roots.iter().any(is_root) {
            expand(rest, &mut Vec::new(), &mut found);
        }
    }
    found
}

/// A line without its comment. A `//` in a string counts as a comment too.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Reads one path or group, adds what it names, and returns what follows.
fn expand<'a>(text: &'a str, prefix: &mut Path, found: &mut Vec<Path>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(rest, prefix, found).trim_start();
            // What is left of an item is an `as` clause or a `*`.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            let (ends, after) = (rest[end..].starts_with('}'), rest.get(end + 1..));
            rest = after.unwrap_or_default();
            if ends || rest.is_empty() {
                return rest;
            }
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (segment, rest) = text.split_at(end);
    if segment.is_empty() {
        found.push(prefix.clone());
        return rest;
    }
    prefix.push(segment.to_owned());
    let rest = match rest.trim_start().strip_prefix("::") {
        Some(rest) => expand(rest, prefix, found),
        None => {
            found.push(prefix.clone());
            rest
        }
    };
    prefix.pop();
    rest
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn groups_and_inline_paths_are_expanded() {
    let source = "use crate::{a, b::{self, C as D}, e::*};\n// crate::comment\nfn f() -> crate::g::H<super::I> {}";
    let found: Vec<String> =
        paths(source, &["crate", "super"]).iter().map(|path| path.join("::")).collect();
    let all = ["crate::a", "crate::b::self", "crate::b::C", "crate::e", "crate::g::H", "super::I"];
    assert_eq!(found, all);
}
