//! Step patterns as text for people: a regular expression with its groups replaced by
//! `{word}`, `{int}`, `{string}` and the like.

/// The groups of step patterns: the body of a group, and the name of its captures.
const GROUPS: [(&str, &str); 6] = [
    (r"[^\s]+", "{word}"),
    (r"\w+", "{word}"),
    (r"\S+", "{word}"),
    (r"\d+", "{int}"),
    (r"(?:-?\d+)|(?:\d+)", "{int}"),
    (r#"[^"]*"#, "{string}"),
];

/// The beginning of the group of `{string}` in a cucumber expression: its parts have numbered names.
const STRING: &str = "?:\"(?P<__";

/// A pattern as text. Optional parts stand in parentheses, alternatives are separated by `/`,
/// as in cucumber expressions.
pub(super) fn readable(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let mut rest = pattern.strip_suffix('$').unwrap_or(pattern);
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        let (part, after) = match first {
            '(' => {
                let (body, after) = group(rest);
                (of_group(body), after)
            }
            '\\' => {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
                let (class, after) = rest.split_at(end);
                match class {
                    r"\w" => ("{word}".to_owned(), after.trim_start_matches('+')),
                    r"\d" => ("{int}".to_owned(), after.trim_start_matches('+')),
                    escaped => (escaped[1..].to_owned(), after),
                }
            }
            other => (other.to_string(), &rest[other.len_utf8()..]),
        };
        rest = after;
        match rest.strip_prefix('?') {
            Some(after) => {
                text += &format!("({part})");
                rest = after;
            }
            None => text += &part,
        }
    }
    text.replace("\"{string}\"", "{string}")
}

/// A group as text, by its body.
fn of_group(body: &str) -> String {
    if body.starts_with(STRING) {
        return "{string}".to_owned();
    }
    if let Some((_, name)) = GROUPS.iter().find(|(known, _)| *known == body) {
        return (*name).to_owned();
    }
    let (captures, body) = match body.strip_prefix("?:") {
        Some(body) => (false, body),
        None => (true, body),
    };
    let is_plain = |c: char| c.is_alphanumeric() || " :|-".contains(c);
    match (captures, body.chars().all(is_plain)) {
        (true, true) => format!("{{{body}}}"),
        (true, false) => "{text}".to_owned(),
        (false, _) => alternatives(body).into_iter().map(readable).collect::<Vec<_>>().join("/"),
    }
}

/// The body of the group at the start of a pattern, and what follows the group.
fn group(pattern: &str) -> (&str, &str) {
    let end = scan(pattern).find(|(_, c, depth)| *c == ')' && *depth == 0);
    let end = end.map_or(pattern.len() - 1, |(at, ..)| at);
    (&pattern[1..end], &pattern[end + 1..])
}

/// The alternatives in the body of a group.
fn alternatives(body: &str) -> Vec<&str> {
    let bars = scan(body).filter(|(_, c, depth)| *c == '|' && *depth == 0);
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, ..) in bars {
        parts.push(&body[start..at]);
        start = at + 1;
    }
    parts.push(&body[start..]);
    parts
}

/// The characters of a pattern that are neither escaped nor in a class, each with its position
/// and the depth of the groups around it. A parenthesis has the depth outside its group.
fn scan(pattern: &str) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    pattern.char_indices().filter_map(move |(at, c)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        match c {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => {
                depth += 1;
                return Some((at, c, depth - 1));
            }
            ')' => {
                depth = depth.saturating_sub(1);
                return Some((at, c, depth));
            }
            _ => return Some((at, c, depth)),
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_text() {
        let cases = [
            (r#"^(\w+) lists "([^"]*)" for (.+)$"#, "{word} lists {string} for {text}"),
            (r"^(\d+) (second|minute)s? later$", "{int} {second|minute}(s) later"),
            (r"^([^\s]+) has ((?:-?\d+)|(?:\d+)) order(?:s)?$", "{word} has {int} order(s)"),
            (r"^the other(?:s)? (?:is|are) late$", "the other(s) is/are late"),
            (
                r"^the next (?:response is|(\d+) responses are) lost$",
                "the next response is/{int} responses are lost",
            ),
            (r#"^(?:\w+) sees (".*"|nothing)$"#, "{word} sees {text}"),
            (
                r#"^it is (?:"(?P<__0_0>[^"\\]*(?:\\.[^"\\]*)*)"|'(?P<__0_1>[^'\\]*(?:\\.[^'\\]*)*)')$"#,
                "it is {string}",
            ),
            (r"^a dot\.$", "a dot."),
        ];
        for (pattern, text) in cases {
            assert_eq!(readable(pattern), text, "{pattern}");
        }
    }
}
