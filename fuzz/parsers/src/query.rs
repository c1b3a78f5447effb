//! The query of a list: `?limit` and `?after`.

use axum::body::Body;
use axum::extract::FromRequestParts;
use futures::FutureExt;
use http::{Request, StatusCode};
use platform::http::Page;

use crate::inert::{answer, cookie};

fn page(query: &str) -> Option<Result<Page, platform::http::ApiError>> {
    let request = Request::builder().uri(format!("/api/tickets?{query}")).body(()).ok()?;
    let mut parts = request.into_parts().0;
    Page::from_request_parts(&mut parts, &()).now_or_never()
}

/// A query is a page within the limits, which is the same when written and read again, or a 400.
/// Real routes agree.
///
/// # Panics
///
/// If that is false.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(read) = page(text) else { return };
    let uri = |path: &str| format!("{path}?{text}");
    let ask = |service, path| {
        let request = Request::builder().uri(uri(path)).header("cookie", cookie());
        answer(service, request.body(Body::empty()).expect("the query was read before"))
    };
    let answered = (ask("tickets", "/api/tickets"), ask("orders", "/api/orders"));
    match read {
        Ok(page_read) => {
            assert!((1..=1000).contains(&page_read.limit), "{page_read:?}");
            let after = page_read.after.as_ref().map(|after| format!("&after={after}"));
            let written = format!("limit={}{}", page_read.limit, after.unwrap_or_default());
            let again = page(&written).expect("it is a query").ok();
            assert_eq!(again.as_ref(), Some(&page_read), "{written}");
            assert_eq!(answered, (None, None), "a good page is asked of the store");
        }
        Err(error) => {
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            let refused = Some(StatusCode::BAD_REQUEST);
            assert_eq!(answered, (refused, refused));
        }
    }
}
