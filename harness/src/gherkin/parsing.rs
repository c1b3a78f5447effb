//! The text of a feature file to its scenarios. Everything that Gherkin allows is read, or refused
//! with its line: nothing that is written is left out in silence.

use std::path::PathBuf;

use cucumber::feature::Ext as _;
use cucumber::gherkin::{Examples, Feature, GherkinEnv, Scenario};

/// A feature with its outlines expanded.
///
/// # Errors
///
/// The reason, with the line where one is known.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Feature, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let written = Feature::parse(text, GherkinEnv::default()).map_err(|e| e.to_string())?;
    if let Some(rule) = written.rules.first() {
        let line = rule.position.line;
        return Err(format!("line {line}: Rule is not supported; use one feature for each rule"));
    }
    if written.scenarios.is_empty() {
        return Err("it holds no scenario".to_owned());
    }
    written.scenarios.iter().try_for_each(|scenario| refuse(&written, scenario))?;
    let mut feature = written.expand_examples().map_err(|e| e.to_string())?;
    feature.path = Some(PathBuf::from(name));
    Ok(feature)
}

/// Refuses a scenario of which something would be left out.
fn refuse(feature: &Feature, scenario: &Scenario) -> Result<(), String> {
    let line = scenario.position.line;
    if scenario.steps.is_empty() {
        return Err(format!("line {line}: the scenario has no step; a step begins with a keyword"));
    }
    let is_outline = scenario.keyword.contains("Outline") || scenario.keyword.contains("Template");
    // The first row is the heading.
    let has_rows =
        |examples: &Examples| examples.table.as_ref().is_some_and(|table| table.rows.len() > 1);
    if is_outline && !scenario.examples.iter().any(has_rows) {
        return Err(format!("line {line}: the outline has no example, so it would never run"));
    }
    let mut tags = feature.tags.iter().chain(&scenario.tags);
    if tags.any(|tag| tag == "retry" || tag.starts_with("retry(")) {
        return Err(format!(
            "line {line}: @retry is not supported; a scenario that fails once is a finding"
        ));
    }
    let background = feature.background.iter().flat_map(|background| &background.steps);
    for step in background.chain(&scenario.steps) {
        // No step can say whether it reads a text, so its last sign does.
        if step.docstring.is_some() && !step.value.ends_with(':') {
            let line = step.position.line;
            return Err(format!("line {line}: a text needs a step above it that ends in a colon"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse("a.feature", text.as_bytes()).expect_err("it is refused")
    }

    #[test]
    fn a_byte_order_mark_and_an_outline_are_read() {
        let text = "\u{feff}Feature: A\r\n  Scenario Outline: <n>\r\n    Given <n>\r\n\
                    \r\n    Examples:\r\n      | n |\r\n      | 1 |\r\n      | 2 |\r\n";
        let feature = parse("a.feature", text.as_bytes()).expect("it is read");
        let names: Vec<_> = feature.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["1", "2"]);
    }

    #[test]
    fn what_would_be_left_out_is_refused_with_its_line() {
        let rule = "Feature: A\n  Rule: B\n    Scenario: C\n      Given d\n";
        assert!(refused(rule).starts_with("line 2: Rule"), "{}", refused(rule));
        assert_eq!(refused("Feature: A\n"), "it holds no scenario");
        let no_keyword = "Feature: A\n  Scenario: B\n    a misspelt keyword\n";
        assert!(refused(no_keyword).starts_with("line 2: the scenario has no step"));
        let outline = "Feature: A\n  Scenario Outline: B\n    Given <c>\n";
        assert!(refused(outline).starts_with("line 2: the outline has no example"));
        let retry = "Feature: A\n  @retry(2)\n  Scenario: B\n    Given c\n";
        assert!(refused(retry).contains("@retry"), "{}", refused(retry));
        let text = "Feature: A\n  Scenario: B\n    Given c\n      \"\"\"\n      d\n      \"\"\"\n";
        assert!(refused(text).starts_with("line 3: a text needs a step"), "{}", refused(text));
        assert_eq!(parse("a", b"Feature: \xe9"), Err("it is not UTF-8".to_owned()));
    }
}
