//! Acts of a script as rows of a table, and back: `| Ben | pays for | Opera |`.
//!
//! [`row`] and [`act`] are inverse.

use contracts::Cents;
use serde_json::Value;

use crate::script::{self, Act};

/// Who may ban.
pub const ADMINISTRATOR: &str = "the administrator";

/// An act as the cells of a row.
///
/// ```
/// use scenarios::script::Act;
/// use scenarios::story::rows;
///
/// let act = Act::Pay { who: 1, ticket: 0, good: true };
/// assert_eq!(rows::row(&act), ["Ben", "pays for", "Opera"]);
/// assert_eq!(rows::act(&["Ben", "pays for", "Opera"]), Some(act));
/// ```
pub fn row(act: &Act) -> Vec<String> {
    let (name, title) = (script::name, script::title);
    let cells = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    match *act {
        Act::List { who, ticket, price } => {
            vec![name(who), "lists".to_owned(), title(ticket), price.to_string()]
        }
        Act::Edit { who, ticket, price } => {
            vec![name(who), "reprices".to_owned(), title(ticket), price.to_string()]
        }
        Act::Reserve { who, ticket } => cells([&name(who), "reserves", &title(ticket)]),
        Act::Cancel { who, ticket } => cells([&name(who), "cancels", &title(ticket)]),
        Act::Pay { who, ticket, good: true } => cells([&name(who), "pays for", &title(ticket)]),
        Act::Pay { who, ticket, good: false } => {
            cells([&name(who), "pays badly for", &title(ticket)])
        }
        Act::Ban { who } => cells([ADMINISTRATOR, "bans", &name(who)]),
        Act::Unban { who } => cells([ADMINISTRATOR, "lifts the ban of", &name(who)]),
        Act::Look { who } => cells([&name(who), "looks at", "their orders"]),
        Act::SignIn { who } => cells([&name(who), "signs in", "again"]),
        Act::Join { who } => cells([&name(who), "signs up", "as new"]),
        Act::Restart { service } => cells([script::service(service), "crashes", "and starts"]),
        Act::Scale { service } => cells([script::service(service), "gets", "one more instance"]),
    }
}

/// The act that these cells say; `None` where nobody knows how to do it.
pub fn act(cells: &[&str]) -> Option<Act> {
    let number = |service: &str| {
        let known = ticketing::SERVICES.iter().any(|entry| entry.name == service);
        known.then(|| script::number(service))
    };
    let price = |text: &str| Cents::from_json(&Value::from(text));
    Some(match *cells {
        [who, "lists", title, cents] => {
            Act::List { who: person(who)?, ticket: ticket(title)?, price: price(cents)? }
        }
        [who, "reprices", title, cents] => {
            Act::Edit { who: person(who)?, ticket: ticket(title)?, price: price(cents)? }
        }
        [who, "reserves", title] => Act::Reserve { who: person(who)?, ticket: ticket(title)? },
        [who, "cancels", title] => Act::Cancel { who: person(who)?, ticket: ticket(title)? },
        [who, "pays for", title] => {
            Act::Pay { who: person(who)?, ticket: ticket(title)?, good: true }
        }
        [who, "pays badly for", title] => {
            Act::Pay { who: person(who)?, ticket: ticket(title)?, good: false }
        }
        [ADMINISTRATOR, "bans", who] => Act::Ban { who: person(who)? },
        [ADMINISTRATOR, "lifts the ban of", who] => Act::Unban { who: person(who)? },
        [who, "looks at", "their orders"] => Act::Look { who: person(who)? },
        [who, "signs in", "again"] => Act::SignIn { who: person(who)? },
        [who, "signs up", "as new"] => Act::Join { who: person(who)? },
        [service, "crashes", "and starts"] => Act::Restart { service: number(service)? },
        [service, "gets", "one more instance"] => Act::Scale { service: number(service)? },
        _ => return None,
    })
}

/// The person of this name.
fn person(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|&who| script::name(who) == name)
}

/// The ticket of this title.
fn ticket(title: &str) -> Option<u8> {
    (0..=u8::MAX).find(|&ticket| script::title(ticket) == title)
}

/// The people of a script and its administrator, as a list: `Anna, Ben and Cleo`.
pub fn company(people: u8, administrated: bool) -> String {
    let mut names: Vec<String> = (0..people).map(script::name).collect();
    names.extend(administrated.then(|| ADMINISTRATOR.to_owned()));
    match names.split_last() {
        None => "nobody".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// How many people a list names, and whether the administrator is among them; `None` where it
/// is not such a list.
pub fn read_company(list: &str) -> Option<(u8, bool)> {
    let all = (0..=u8::MAX).flat_map(|people| [(people, false), (people, true)]);
    // A list of n people has n names; what is longer need not be tried.
    let names = list.split(',').count() + 1;
    let mut all = all.take_while(|(people, _)| usize::from(*people) <= names);
    all.find(|&(people, administrated)| company(people, administrated) == list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads;

    #[test]
    fn every_act_of_every_workload_is_read_as_it_is_written() {
        for workload in workloads::ALL {
            let scripts = workload.open();
            let drawn = (0..50).flat_map(|seed| scripts.draw(seed).rounds);
            for written in drawn.flat_map(|round| round.acts) {
                let row = row(&written);
                let cells: Vec<&str> = row.iter().map(String::as_str).collect();
                assert_eq!(act(&cells), Some(written), "{row:?}");
            }
        }
    }

    #[test]
    fn a_company_is_read_as_it_is_written() {
        for people in 0..20 {
            for administrated in [false, true] {
                let list = company(people, administrated);
                assert_eq!(read_company(&list), Some((people, administrated)), "{list}");
            }
        }
        assert_eq!(read_company("Anna and Cleo"), None);
    }

    #[test]
    fn what_nobody_can_do_is_no_act() {
        assert_eq!(act(&["Anna", "flies to", "Opera"]), None);
        assert_eq!(act(&["Zoe", "reserves", "Opera"]), None);
        assert_eq!(act(&["Anna", "lists", "Opera", "1.999"]), None);
    }
}
