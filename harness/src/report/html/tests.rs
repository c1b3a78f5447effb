//! The page: its parts, and that no text of a run becomes markup.

use std::time::{Duration, Instant};

use super::*;
use crate::gherkin::{Failure, Finished, PlayedStep};

fn finished(name: &str, why: Option<&str>) -> Finished {
    let step = |text: &str, failed| PlayedStep {
        text: text.to_owned(),
        took: Duration::from_micros(300),
        failed,
    };
    Finished {
        feature: "Buying".to_owned(),
        scenario: name.to_owned(),
        place: "buying.feature:1".to_owned(),
        failure: why.map(|why| Failure { step: None, why: why.to_owned() }),
        took: Duration::from_millis(1),
        trace: None,
        steps: vec![step("Given <b>one</b>", false), step("Then two", why.is_some())],
        again: why.map(|_| "rehearse --name '<i>'".to_owned()),
    }
}

#[test]
fn a_failed_feature_is_open_and_its_text_is_no_markup() {
    let scenarios = vec![finished("held", None), finished("<i>", Some("1 < 2 & \"so\""))];
    let summary = Summary { title: "A & B".to_owned(), scenarios, ..Summary::default() };
    let html = page(&summary);
    assert!(html.contains("class=\"feature\" open") && html.contains("1 of 2 failed"), "{html}");
    assert!(html.contains("&lt;i&gt;") && !html.contains("<i>"), "{html}");
    assert!(html.contains("&lt;b&gt;one") && !html.contains("<b>"), "{html}");
    assert!(html.contains("1 &lt; 2 &amp; &quot;so&quot;"), "{html}");
    assert!(html.contains("A &amp; B: findings"), "{html}");
}

#[test]
fn nothing_is_open_where_everything_held() {
    let scenarios = vec![finished("held", None)];
    let summary = Summary { held: true, scenarios, ..Summary::default() };
    let html = page(&summary);
    let open = ["class=\"feature\" open", "data-held=\"true\" open"];
    assert!(html.contains("everything held") && !open.iter().any(|o| html.contains(o)), "{html}");
}

#[test]
fn every_step_has_its_time_and_the_failed_one_stands_out() {
    let html =
        page(&Summary { scenarios: vec![finished("one", Some("it broke"))], ..Summary::default() });
    assert_eq!(html.matches("0.3 ms").count(), 2, "{html}");
    assert!(html.contains("<li class=\"failed\"><span>Then two"), "{html}");
}

#[test]
fn nothing_comes_from_a_network() {
    let html = page(&Summary { scenarios: vec![finished("one", None)], ..Summary::default() });
    for external in ["src=", "http://", "https://", "url(", "@import", "<link"] {
        assert!(!html.contains(external), "{external}");
    }
}

#[test]
fn a_thousand_scenarios_are_one_page_of_a_few_hundred_kilobytes() {
    let scenarios = (0..1000).map(|n| finished(&format!("scenario {n}"), None)).collect();
    let began = Instant::now();
    let html = page(&Summary { held: true, scenarios, ..Summary::default() });
    assert!(html.len() < 1_500_000, "{} bytes", html.len());
    assert_eq!(html.matches("class=\"scenario\"").count(), 1000);
    assert!(began.elapsed() < Duration::from_secs(5));
}
