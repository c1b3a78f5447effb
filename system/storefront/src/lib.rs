//! The storefront: a page on which people list, buy and pay for tickets.
//!
//! It is three files inside the binary, without a build step and without requests to other hosts.
//! The page calls the HTTP API of the services at its own origin and keeps no state of the
//! system: a reload shows the same.
//!
//! ```
//! use axum::Router;
//!
//! let services = Router::new();
//! let with_page: Router = services.merge(storefront::routes());
//! ```

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// The page loads its own files, and nothing else: no inline script, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// A file of the page.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        text: include_str!("../assets/index.html"),
    },
    Asset {
        path: "/storefront/style.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("../assets/style.css"),
    },
    Asset {
        path: "/storefront/page.js",
        content_type: "text/javascript; charset=utf-8",
        text: include_str!("../assets/page.js"),
    },
    Asset {
        path: "/storefront/icon.svg",
        content_type: "image/svg+xml",
        text: include_str!("../assets/icon.svg"),
    },
];

/// The routes of the page: `/`, and its files below `/storefront/`.
pub fn routes() -> Router {
    ASSETS.iter().fold(Router::new(), |routes, asset| {
        routes.route(asset.path, get(async || response(asset)))
    })
}

fn response(asset: &'static Asset) -> impl IntoResponse {
    let value = HeaderValue::from_static;
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, value(asset.content_type)),
        (header::CONTENT_SECURITY_POLICY, value(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, value("nosniff")),
        (header::REFERRER_POLICY, value("no-referrer")),
        // A new version of the binary brings a new page.
        (header::CACHE_CONTROL, value("no-cache")),
    ];
    (headers, asset.text)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Method, Request, StatusCode};
    use futures::executor::block_on;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(method: Method, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        let response = routes().oneshot(request.expect("it is a request")).await;
        let response = response.expect("the router is infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("it is in memory").to_bytes();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("it is text"))
    }

    #[test]
    fn every_file_that_the_page_names_is_served() {
        block_on(async {
            let (_, _, page) = ask(Method::GET, "/").await;
            let named: Vec<&str> =
                page.split('"').filter(|part| part.starts_with("/storefront/")).collect();
            assert_eq!(named.len(), ASSETS.len() - 1, "{named:?}");
            for path in named {
                let (status, headers, _) = ask(Method::GET, path).await;
                assert_eq!(status, StatusCode::OK, "{path}");
                let kind = headers[header::CONTENT_TYPE].to_str().expect("it is text");
                let expected = match path.rsplit_once('.') {
                    Some((_, "js")) => "text/javascript",
                    Some((_, "css")) => "text/css",
                    _ => "image/svg+xml",
                };
                assert!(kind.starts_with(expected), "{path}: {kind}");
            }
        });
    }

    /// The policy forbids what a later edit may add without noticing.
    #[test]
    fn the_page_has_no_inline_script_or_style_and_no_foreign_host() {
        let (page, style, script) = (ASSETS[0].text, ASSETS[1].text, ASSETS[2].text);
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=").count()
        );
        for forbidden in ["<style", " style=", " onclick=", " onsubmit=", "javascript:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
        {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
        for text in [page, style, script] {
            let hosts = text.matches("://").count() - text.matches("http://www.w3.org/").count();
            assert_eq!(hosts, 0);
        }
    }

    #[test]
    fn the_policy_comes_with_the_page_and_other_methods_are_refused() {
        block_on(async {
            let (status, headers, _) = ask(Method::GET, "/").await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(headers[header::CONTENT_SECURITY_POLICY], POLICY);
            assert_eq!(ask(Method::POST, "/").await.0, StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(ask(Method::GET, "/api/tickets").await.0, StatusCode::NOT_FOUND);
        });
    }
}
