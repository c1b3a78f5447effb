//! Because: the explanation of a failure names the place where the bug is planted.

use std::path::Path;

use harness::regressions::Regression;
use harness::run;
use harness::search::nearest::nearest;
use harness::story::Story;
use harness::subject::AnySubject;
use scenarios::Ticketing;

#[test]
fn print() {
    let subject = AnySubject::new(Ticketing);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut cases = Vec::new();
    if let Ok(file) = std::env::var("BUGS") {
        let text = std::fs::read_to_string(file).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for bug in json["bugs"].as_array().unwrap() {
            let Some(token) = bug["story"]["token"].as_str() else { continue };
            let token: harness::case::Token = token.parse().unwrap();
            let case = token.case().unwrap().read(&subject).unwrap();
            cases.push((bug["bug"].as_str().unwrap().to_owned(), case, None));
        }
    } else {
        for (_, kept) in Regression::all(&subject, &folder).unwrap() {
            cases.push((kept.bug.clone().unwrap_or_default(), kept.with_bug(), Some(kept.invariant.clone())));
        }
    }
    for (bug, case, invariant) in cases {
        if std::env::var("ONLY").is_ok_and(|only| !only.split(',').any(|o| o == bug)) { continue }
        let began = std::time::Instant::now();
        let run = run::run_watched(&subject, &case).unwrap();
        let story = Story::of(&subject, &run, invariant.as_deref(), &[]);
        let Some(invariant) = story.invariant.clone() else { println!("== {bug}: passes"); continue };
        let one = began.elapsed();
        let near = nearest(&subject, &run, &invariant, || ()).unwrap();
        let story = story.explained(&subject, &run, &near);
        println!("\n== {bug}: {} tried, {} decisions, {:?} one, {:?}", near.tried, run.decisions, one, began.elapsed());
        for step in &story.steps { println!("   {step}"); }
        let because = story.because.unwrap();
        println!(" because {}", because.parting);
        for link in &because.links { println!("   - {}   {:?}", link.sentence, link.place.as_ref().map(|p| format!("{}/{}/{}", p.service, p.operation, p.target))); }
    }
}
