//! Every request of the contract, in every manner and by every client: raw input at its limits,
//! pages and cursors, ids in either case, many writers of one document.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::{Round, Script, client, clients, price, title, trade};
use harness::script::{Action, Then};

use crate::manner::Manner;
use crate::operation::{ADMINISTRATOR, Operation, Price, address};

const PEOPLE: u8 = 4;
/// Client n sells the tickets n and n + 2. Client 1 is the one with many orders.
const TICKETS: u8 = 4;
const COLLECTOR: u8 = 1;
/// The number of a client without an account.
const VISITOR: u8 = 9;

/// Titles at the limits, with blanks and letters of several scripts.
const TITLES: [&str; 8] = [
    "Opera, first row",
    "  Ballet  in  snow\u{a0}",
    "Кармен и Фигаро",
    "Ça ira\u{301}",
    "",
    " \t ",
    "x",
    "🎻",
];

/// Prices as clients send them.
const PRICES: [&str; 9] =
    ["20", "19.99", "\"20.00\"", "0", "-5", "10.005", "true", "\"free\"", "0.5"];

/// Query strings of pages; the second half is bad.
const QUERIES: [&str; 14] = [
    "",
    "limit=1",
    "limit=2",
    "limit=3",
    "limit=1000",
    "limit=2&after={Opera}",
    "after={Ballet}",
    "after={Concert}&limit=1",
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=many",
    "after=yesterday",
    "limit=0&after=1",
];

/// Requests that no operation sends: method, path, body.
const RAW: [(&str, &str, Option<&str>); 15] = [
    ("GET", "/api/tickets/65a000000000000000000001", None),
    ("GET", "/api/orders/65a000000000000000000001", None),
    ("DELETE", "/api/orders/65a000000000000000000001", None),
    ("PUT", "/api/tickets/65a000000000000000000001", Some("{\"title\":\"A\",\"price\":1}")),
    ("POST", "/api/orders", Some("{\"ticketId\":\"65a000000000000000000001\"}")),
    ("POST", "/api/payments", Some("{\"orderId\":\"65a000000000000000000001\",\"token\":\"t\"}")),
    ("POST", "/api/payments", Some("{\"orderId\":\"65a\",\"token\":\"\"}")),
    ("POST", "/api/users/65a000000000000000000001/ban", None),
    ("POST", "/api/users/me/admin", Some("{\"claim\":\"a claim that everybody knows\"}")),
    ("POST", "/api/users/me/admin", Some("{\"claim\":\"another claim\"}")),
    ("POST", "/api/users/me/admin", Some("{\"claim\":\"\"}")),
    ("GET", "/api/users/nowhere", None),
    ("DELETE", "/api/tickets", None),
    ("PATCH", "/api/orders", None),
    ("POST", "/api/users/signin", Some("[]")),
];

/// Scripts of the contract.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let then = prop_oneof![
        5 => Just(Then::Go),
        4 => Just(Then::Quiesce),
        1 => Just(Then::Pass(15 * 60)),
    ];
    let single = (vec(act(), 1..7), then).prop_map(|(acts, then)| Round::of(acts, then));
    let part = prop_oneof![
        24 => single.prop_map(|round| vec![round]),
        4 => writers().prop_map(|round| vec![round]),
        4 => collection().prop_map(|round| vec![round]),
        2 => composition(),
        2 => fresh(),
        1 => dozens(),
    ];
    (vec(price(), usize::from(TICKETS)), any::<bool>(), vec(part, 3..7)).prop_map(
        |(prices, paid, rest)| {
            let list = |(n, price)| Operation::list(&client(n % 2), &title(n), price);
            let listed = (0..TICKETS).zip(prices).map(list);
            let reserve = (1..3).map(|n| Operation::reserve(&client(n), &title(n)));
            let mut rounds =
                vec![Round::of(listed, Then::Quiesce), Round::of(reserve, Then::Quiesce)];
            let pay = Operation::pay(&client(1), &title(1), super::card(true));
            rounds.extend(paid.then(|| Round::one(pay, Then::Quiesce)));
            rounds.extend(rest.into_iter().flatten());
            Script::new(clients(PEOPLE).into_iter().chain([ADMINISTRATOR.to_owned()]), rounds)
        },
    )
}

/// Any operation, now and then in a manner of its own.
fn act() -> impl Strategy<Value = Operation> + Clone {
    let who = prop_oneof![8 => 0..PEOPLE, 1 => Just(VISITOR)];
    let owner = prop_oneof![1 => 0..PEOPLE, 3 => 1_u8..3];
    let other = (0..3_u8, who.clone(), owner, 0..TICKETS, prop::bool::weighted(0.7));
    let on_ticket = (who.clone(), 0..TICKETS);
    let listing = (who.clone(), 0..TICKETS, text(), select(&PRICES[..]), any::<bool>());
    let plain = prop_oneof![
        6 => trade(who.clone(), 0..TICKETS),
        3 => on_ticket.prop_map(|(who, n)| look_at(&client(who), &title(n))),
        3 => (0..PEOPLE, select(&QUERIES[..])).prop_map(|(who, query)| orders(who, query)),
        3 => (who.clone(), select(&QUERIES[..])).prop_map(|(who, query)| browse(who, query)),
        3 => listing.prop_map(|(who, n, text, price, own)| change(who, n, &text, price, own)),
        4 => other.prop_map(|(kind, who, owner, n, first)| {
            // The first order of a client is the one for the ticket of the same number.
            of_another(kind, who, owner, title(if first { owner } else { n }))
        }),
        1 => (who.clone(), text(), select(&PRICES[..])).prop_map(|(who, text, price)| {
            Operation::list(&client(who), &text, Price::typed(price))
        }),
        6 => account(),
        1 => who.clone().prop_map(|who| Operation::WhoAmI { who: client(who) }),
        2 => (who, select(&RAW[..]), any::<bool>()).prop_map(|(who, raw, admin)| {
            let who = client(who);
            send(if admin { ADMINISTRATOR } else { &who }, raw)
        }),
    ];
    // These two concern most requests.
    let manner = prop_oneof![3 => select(&[Manner::UpperCase, Manner::Padded][..]), 5 => select(Manner::ALL)];
    let manner = prop::option::weighted(0.35, manner);
    (plain, manner).prop_map(|(plain, manner)| match manner {
        Some(manner) => plain.in_manner(manner),
        None => plain,
    })
}

/// An operation on an account.
fn account() -> impl Strategy<Value = Operation> + Clone {
    let change = prop_oneof![
        (0..PEOPLE).prop_map(|n| json!({ "email": format!(" {}@Opera.example", client(n)) })),
        (0..PEOPLE).prop_map(|n| json!({ "email": address(&client(n)).to_uppercase() })),
        Just(json!({ "password": "second act" })),
        Just(json!({ "password": "abc", "email": "nobody" })),
        Just(json!({ "password": "caf\u{e9} noir" })),
        Just(json!({ "password": "curtain" })),
        Just(json!({})),
    ];
    let current = prop_oneof![
        3 => Just("curtain"),
        4 => select(&["curtain", "second act", "cafe\u{301} noir", "wrong", ""][..]),
    ];
    let edit = (0..PEOPLE, change, current.clone()).prop_map(|(who, mut change, current)| {
        change["currentPassword"] = current.into();
        Operation::ChangeAccount { who: client(who), change }
    });
    let email = (0..PEOPLE, any::<bool>()).prop_map(|(n, new)| {
        let domain = if new { "opera.example" } else { "EXAMPLE.org" };
        format!("{}@{domain} ", client(n))
    });
    let sign_in =
        (0..PEOPLE, prop::option::of(email), current).prop_map(|(who, email, password)| {
            Operation::SignIn { who: client(who), email, password: password.to_owned() }
        });
    let ban = (0..PEOPLE, any::<bool>(), any::<bool>()).prop_map(|(n, admin, lift)| {
        let who = if admin { ADMINISTRATOR.to_owned() } else { client((n + 1) % PEOPLE) };
        let whom = client(n);
        if lift { Operation::Unban { who, whom } } else { Operation::Ban { who, whom } }
    });
    let passwords = select(&["12345678901234567890", "four", "abc", "123456789012345678901"][..]);
    let sign_up =
        (VISITOR..VISITOR + 2, any::<bool>(), passwords).prop_map(|(n, good, password)| {
            let domain = if good { "example.org" } else { "" };
            let email = Some(format!("\t{}@{domain}", client(n)));
            Operation::SignUp { who: client(n), email, password: password.to_owned() }
        });
    let sign_out = (0..PEOPLE).prop_map(|n| Operation::SignOut { who: client(n) });
    prop_oneof![4 => edit, 3 => sign_in, 2 => ban, 2 => sign_up, 1 => sign_out]
}

/// Many writers of one document at the same moment.
fn writers() -> impl Strategy<Value = Round> + Clone {
    let edits = (0..TICKETS, vec(price(), 4..8)).prop_map(|(n, prices)| {
        let edit = |price| Operation::reprice(&client(n % 2), &title(n), price);
        prices.into_iter().map(edit).collect::<Vec<_>>()
    });
    let accounts = (0..PEOPLE, 4..8_usize).prop_map(|(who, count)| {
        let change = json!({ "password": "curtain", "currentPassword": "curtain" });
        vec![Operation::ChangeAccount { who: client(who), change }; count]
    });
    let buyers = (0..TICKETS, 4..8_usize).prop_map(|(n, count)| {
        let who = |number: usize| if number.is_multiple_of(2) { 0 } else { 2 };
        (0..count).map(|number| Operation::reserve(&client(who(number)), &title(n))).collect()
    });
    prop_oneof![edits, accounts, buyers].prop_map(|acts| Round::of(acts, Then::Quiesce))
}

/// One client reserves and releases a ticket again and again, and pages through the orders.
fn collection() -> impl Strategy<Value = Round> + Clone {
    (0..TICKETS, select(&QUERIES[..8])).prop_map(|(n, query)| {
        let who = client(COLLECTOR);
        let both = [Operation::reserve(&who, &title(n)), Operation::cancel(&who, &title(n))];
        let acts = both.into_iter().cycle().take(6).chain([orders(COLLECTOR, query)]);
        Round { actions: acts.map(Action::Do).collect(), then: Then::Quiesce }
    })
}

/// A password is set on one keyboard and typed on another, which composes accents otherwise.
fn composition() -> impl Strategy<Value = Vec<Round>> + Clone {
    (0..PEOPLE, any::<bool>()).prop_map(|(who, composed)| {
        let forms = ["caf\u{e9} noir", "cafe\u{301}\u{a0}noir"];
        let [set, typed] = if composed { forms } else { [forms[1], forms[0]] };
        let who = client(who);
        let change = |password: &str, current: &str| {
            let change = json!({ "password": password, "currentPassword": current });
            Operation::ChangeAccount { who: who.clone(), change }
        };
        let password = typed.to_owned();
        let sign_in = Operation::SignIn { who: who.clone(), email: None, password };
        vec![
            Round::one(change(set, "curtain"), Then::Quiesce),
            Round::one(sign_in, Then::Go),
            Round::one(change("curtain", typed), Then::Quiesce),
        ]
    })
}

/// A ticket is reserved and paid for before its news may have arrived.
fn fresh() -> impl Strategy<Value = Vec<Round>> + Clone {
    (0..PEOPLE, 0..PEOPLE, price(), 0..3_u8).prop_map(|(seller, buyer, price, n)| {
        let (buyer, title) = (client(buyer), title(40 + n));
        [
            Operation::list(&client(seller), &title, price),
            Operation::reserve(&buyer, &title),
            Operation::pay(&buyer, &title, super::card(true)),
        ]
        .map(|act| Round::one(act, Then::Go))
        .to_vec()
    })
}

/// One client has dozens of orders.
fn dozens() -> impl Strategy<Value = Vec<Round>> + Clone {
    const DOZENS: u8 = 26;
    (price(), select(&QUERIES[..8])).prop_map(|(price, query)| {
        let titles = || (TICKETS..TICKETS + DOZENS).map(title);
        let list = titles().map(|title| Operation::list(&client(0), &title, price));
        let reserve = titles().map(|title| Operation::reserve(&client(COLLECTOR), &title));
        let look = [browse(0, ""), browse(0, query)];
        let view = [orders(COLLECTOR, ""), orders(COLLECTOR, query)];
        vec![
            Round::of(list, Then::Quiesce),
            Round::of(look, Then::Go),
            Round::of(reserve, Then::Quiesce),
            Round::of(view, Then::Go),
        ]
    })
}

/// A title, some of them with as many characters as are allowed, or one more.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        6 => select(&TITLES[..]).prop_map(str::to_owned),
        1 => Just("ж".repeat(200)),
        1 => Just("x".repeat(201)),
    ]
}

fn look_at(who: &str, title: &str) -> Operation {
    Operation::LookAtTicket { who: who.to_owned(), title: title.to_owned() }
}

fn orders(who: u8, query: &str) -> Operation {
    Operation::LookAtOrders { who: client(who), query: query.to_owned() }
}

fn browse(who: u8, query: &str) -> Operation {
    Operation::Browse { who: client(who), query: query.to_owned() }
}

/// An edit of the seller's own ticket, of another one, or with bad input.
fn change(who: u8, n: u8, text: &str, price: &str, own: bool) -> Operation {
    let who = client(if own { n % 2 } else { who });
    Operation::Change { who, title: title(n), to: text.to_owned(), price: Price::typed(price) }
}

/// An operation on the order of another client.
fn of_another(kind: u8, who: u8, owner: u8, title: String) -> Operation {
    let (who, owner) = (client(who), client(owner));
    match kind {
        0 => Operation::LookAtOrder { who, owner, title },
        1 => Operation::Cancel { who, owner, title },
        _ => Operation::Pay { who, owner, title, card: super::card(true) },
    }
}

fn send(who: &str, (method, path, body): (&str, &str, Option<&str>)) -> Operation {
    let body = body.map(|body| ("application/json".to_owned(), body.to_owned()));
    Operation::Send { who: who.to_owned(), method: method.to_owned(), path: path.to_owned(), body }
}
