use contracts::Cents;
use harness::faults::{Effect, FaultRule, Operation};

use super::*;
use crate::case::{Case, Schedule, Trouble};
use crate::script::{Act, Round, Script};
use crate::simulate;

/// Two buyers of one ticket at the same moment, in a system that looks before it inserts.
fn rivals(bug: Option<&str>) -> Case {
    let list = Act::List { who: 0, ticket: 0, price: Cents(2000) };
    let reserve = |who| Act::Reserve { who, ticket: 0 };
    let rounds = vec![
        Round { acts: vec![list], then: Then::Settle },
        Round { acts: vec![reserve(1), reserve(2)], then: Then::Pass(90) },
    ];
    Case {
        workload: "race".to_owned(),
        bug: bug.map(str::to_owned),
        trouble: Trouble::Exact(Vec::new()),
        schedule: Schedule::Exact(Vec::new()),
        ..Case::of(Script { people: 3, rounds }, 1)
    }
}

fn told(case: &Case) -> Told {
    of(&simulate::run_watched(case).unwrap(), None, &[])
}

#[test]
fn a_story_says_who_was_told_what_and_which_promise_broke() {
    let told = told(&rivals(Some("look-then-insert")));
    assert_eq!(
        told.steps,
        [
            "Anna lists \"Opera\" for 20.00: 201",
            "Ben reserves \"Opera\": 201",
            "At the same moment, Cleo reserves \"Opera\": 201",
            "90 seconds pass",
            "The promise one-holder is broken: ticket \"Opera\" is held by orders of Ben and of Cleo",
        ]
    );
    assert_eq!(told.promise, Some(promise("one-holder")));
}

#[test]
fn a_refusal_is_quoted_and_a_run_in_which_all_held_says_so() {
    let told = told(&rivals(None));
    assert!(told.steps[2].ends_with("Cleo reserves \"Opera\": 400 `Ticket is already reserved`"));
    assert_eq!(told.steps.last().unwrap(), "Every promise is kept");
    assert_eq!(told.promise, None);
}

#[test]
fn faults_and_decisions_stand_where_they_struck() {
    let lost = FaultRule {
        service: Some("tickets".to_owned()),
        operation: Operation::Ack,
        target: Some("order.created".to_owned()),
        skip: 0,
        times: 1,
        effect: Effect::LoseAck,
    };
    let trouble = Trouble::Exact(vec![lost.clone()]);
    let schedule = Schedule::Exact(vec![(20, sim::scheduler::Decision::Run(1))]);
    let told = told(&Case { trouble, schedule, ..rivals(None) });
    let at = |what: &str| told.steps.iter().position(|step| step.contains(what)).unwrap();
    assert!(at("Cleo reserves") < at("acknowledgement of the 1st OrderCreated"), "{told:#?}");
    assert!(at(" before ") < at("seconds pass"), "{told:#?}");
    assert!(told.gherkin.contains(&fault::sentence(&lost)), "{}", told.gherkin);
    assert!(told.gherkin.contains("the order 20:1 from here on"), "{}", told.gherkin);
}

#[test]
fn the_scenario_is_written_as_people_write_them() {
    let told = told(&rivals(Some("look-then-insert")));
    let lines = [
        "    Given the seed 1",
        "    And the planted bug look-then-insert",
        "    And the company of Anna, Ben and Cleo",
        "    When at the same moment",
        "      | Anna | lists | Opera | 20.00 |",
        "    And everything plays out",
        "    And at the same moment",
        "      | Ben  | reserves | Opera |",
        "      | Cleo | reserves | Opera |",
        "    And 90 seconds pass",
        "    Then the promise one-holder is kept",
    ];
    assert!(told.gherkin.contains(&lines.join("\n")), "{}", told.gherkin);
}
