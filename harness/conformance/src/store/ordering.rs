//! Sorting, limits and paging.

use std::sync::Arc;

use bson::{Bson, DateTime, Document, doc};
use ports::store::{Find, Store};

use super::case::{Case, THINGS, ids_of, insert_all, rejected_read};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("an ascending sort is by value", |store: Arc<dyn Store>| async move {
            insert_all(&*store, people()).await?;
            sorted(&*store, doc! { "n": 1 }, 0, &["b", "a", "c"]).await
        }),
        Case::new("a descending sort is by value", |store: Arc<dyn Store>| async move {
            insert_all(&*store, people()).await?;
            sorted(&*store, doc! { "n": -1 }, 0, &["c", "a", "b"]).await
        }),
        Case::new("a later sort key breaks ties", |store: Arc<dyn Store>| async move {
            insert_all(&*store, people()).await?;
            sorted(&*store, doc! { "s": -1, "n": 1 }, 0, &["b", "c", "a"]).await
        }),
        Case::new("a sort key may be a dotted path", |store: Arc<dyn Store>| async move {
            insert_all(&*store, people()).await?;
            sorted(&*store, doc! { "in.k": 1 }, 0, &["c", "a", "b"]).await
        }),
        Case::new("a sort across types follows the type order", across_types),
        Case::new("an array sorts by its least element, or descending by its greatest", arrays),
        Case::new(
            "a limit keeps the first documents of the sort",
            |store: Arc<dyn Store>| async move {
                insert_all(&*store, people()).await?;
                sorted(&*store, doc! { "n": 1 }, 2, &["b", "a"]).await
            },
        ),
        Case::new("a limit without a sort bounds the result", limited),
        Case::new("paging by id visits every document once", pages),
        Case::new(
            "a sort direction other than 1 or -1 is rejected",
            |store: Arc<dyn Store>| async move {
                let find = Find { sort: doc! { "n": 5 }, ..Find::default() };
                rejected_read(store.find(THINGS, find).await)
            },
        ),
        Case::new("a large result is complete", large),
    ]
}

fn people() -> Vec<Document> {
    vec![
        doc! { "_id": "a", "n": 2, "s": "x", "in": { "k": 2 } },
        doc! { "_id": "b", "n": 1.5, "s": "y", "in": { "k": 3 } },
        doc! { "_id": "c", "n": 3_i64, "s": "y", "in": { "k": 1 } },
    ]
}

async fn sorted(store: &dyn Store, sort: Document, limit: u32, ids: &[&str]) -> Outcome {
    let found = store.find(THINGS, Find { sort, limit, ..Find::default() }).await?;
    same("the order", &ids_of(&found), &ids.to_vec())
}

async fn across_types(store: Arc<dyn Store>) -> Outcome {
    let documents = vec![
        doc! { "_id": "time", "v": DateTime::from_millis(0) },
        doc! { "_id": "yes", "v": true },
        doc! { "_id": "no", "v": false },
        doc! { "_id": "document", "v": { "a": 1 } },
        doc! { "_id": "string", "v": "" },
        doc! { "_id": "real", "v": -0.5 },
        doc! { "_id": "whole", "v": 7 },
        doc! { "_id": "nan", "v": f64::NAN },
        doc! { "_id": "null", "v": Bson::Null },
        doc! { "_id": "empty", "v": [] },
        doc! { "_id": "nested", "v": [["a"]] },
    ];
    insert_all(&*store, documents).await?;
    let order = [
        "empty", "null", "nan", "real", "whole", "string", "document", "nested", "no", "yes",
        "time",
    ];
    sorted(&*store, doc! { "v": 1 }, 0, &order).await
}

async fn arrays(store: Arc<dyn Store>) -> Outcome {
    let documents = vec![
        doc! { "_id": "a", "v": [5, 1] },
        doc! { "_id": "b", "v": 2 },
        doc! { "_id": "c", "v": [4, 3] },
    ];
    insert_all(&*store, documents).await?;
    sorted(&*store, doc! { "v": 1 }, 0, &["a", "b", "c"]).await?;
    sorted(&*store, doc! { "v": -1 }, 0, &["a", "c", "b"]).await
}

async fn limited(store: Arc<dyn Store>) -> Outcome {
    insert_all(&*store, people()).await?;
    let found = store.find(THINGS, Find { limit: 2, ..Find::default() }).await?;
    same("the number found", &found.len(), &2)?;
    let found = store.find(THINGS, Find { limit: 9, ..Find::default() }).await?;
    same("the number found", &found.len(), &3)
}

async fn pages(store: Arc<dyn Store>) -> Outcome {
    let ids: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
    insert_all(&*store, ids.clone().into_iter().rev().map(|id| doc! { "_id": id })).await?;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().cloned().unwrap_or_default();
        let find =
            Find { filter: doc! { "_id": { "$gt": after } }, sort: doc! { "_id": 1 }, limit: 10 };
        let page = store.find(THINGS, find).await?;
        if page.is_empty() {
            return same("the ids", &seen, &ids);
        }
        seen.extend(ids_of(&page).into_iter().map(str::to_owned));
    }
}

async fn large(store: Arc<dyn Store>) -> Outcome {
    let count = 250;
    insert_all(&*store, (0..count).map(|n| doc! { "_id": format!("{n:03}") })).await?;
    let found = store.find(THINGS, Find { sort: doc! { "_id": -1 }, ..Find::default() }).await?;
    same("the number found", &found.len(), &count)
}
