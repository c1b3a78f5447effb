//! The table of the routes of a service, which both serves and describes them.
//!
//! Descriptions are made when they are asked for: a rehearsal assembles a service thousands of
//! times and describes it once.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::error::ApiError;
use super::interface::{Described, Endpoint};

/// A route of a service whose handlers share the state `S`.
pub struct Route<S> {
    served: MethodRouter<S>,
    declared: DeclaredRoute,
}

/// A route that can be described.
#[derive(Debug, Clone)]
pub struct DeclaredRoute {
    method: Method,
    path: &'static str,
    role: Option<&'static str>,
    describe: fn(&mut Endpoint),
    refusals: Vec<ApiError>,
}

impl DeclaredRoute {
    /// Describes the route.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let mut endpoint = Endpoint::new(self.method.clone(), self.path);
        endpoint.role = self.role;
        (self.describe)(&mut endpoint);
        self.refusals.iter().for_each(|error| endpoint.refuses(error));
        endpoint
    }
}

macro_rules! methods {
    ($($name:ident: $method:ident,)*) => {
        $(
            #[doc = concat!("A route of the method ", stringify!($method), ".")]
            pub fn $name<H, T>(path: &'static str, handler: H) -> Self
            where
                H: Handler<T, S> + Described<T>,
                T: 'static,
            {
                Self::new(Method::$method, path, H::describe, $name(handler))
            }
        )*
    };
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    methods! { get: GET, post: POST, put: PUT, patch: PATCH, delete: DELETE, }

    fn new(
        method: Method,
        path: &'static str,
        describe: fn(&mut Endpoint),
        served: MethodRouter<S>,
    ) -> Self {
        let (role, refusals) = (None, Vec::new());
        Self { served, declared: DeclaredRoute { method, path, role, describe, refusals } }
    }

    /// Declares refusals of the handler. Those of its arguments are known: a bad body, a missing
    /// session.
    #[must_use]
    pub fn refuses<E: Into<ApiError>>(mut self, refusals: impl IntoIterator<Item = E>) -> Self {
        self.declared.refusals.extend(refusals.into_iter().map(Into::into));
        self
    }

    /// Declares the role of the callers: `administrator`.
    #[must_use]
    pub fn role(mut self, role: &'static str) -> Self {
        self.declared.role = Some(role);
        self
    }
}

/// The routes of a service, with their descriptions where they are declared.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// The routes as they are served.
    pub served: Router,
    /// The routes as they are declared.
    pub declared: Vec<DeclaredRoute>,
}

impl Routes {
    /// The routes of this table.
    pub fn new<S: Clone + Send + Sync + 'static>(
        state: S,
        table: impl IntoIterator<Item = Route<S>>,
    ) -> Self {
        let (mut served, mut declared) = (Router::new(), Vec::new());
        for route in table {
            served = served.route(route.declared.path, route.served);
            declared.push(route.declared);
        }
        Self { served: served.with_state(state), declared }
    }
}

impl From<Router> for Routes {
    /// Routes without descriptions.
    fn from(served: Router) -> Self {
        Self { served, declared: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::extract::State;
    use garde::Validate;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::http::{Created, Id, Input, Page, created};

    #[derive(Deserialize, Validate, JsonSchema)]
    struct Wish {
        #[garde(skip)]
        #[serde(default, deserialize_with = "crate::http::input::text")]
        #[schemars(!default)]
        title: String,
    }

    #[derive(Serialize, JsonSchema)]
    struct Book {
        title: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        lent: Option<String>,
    }

    async fn order(State(()): State<()>, Input(wish): Input<Wish>) -> Created<Book> {
        created(Book { title: wish.title, lent: None })
    }

    async fn list(_: Page) -> Result<Json<Vec<Book>>, ApiError> {
        Ok(Json(Vec::new()))
    }

    async fn one(Id(title): Id) -> Json<Book> {
        Json(Book { title, lent: None })
    }

    fn described(route: &Route<()>) -> Endpoint {
        route.declared.endpoint()
    }

    fn statuses(endpoint: &Endpoint) -> Vec<u16> {
        endpoint.answers.keys().copied().collect()
    }

    #[test]
    fn a_route_is_described_by_the_types_of_its_handler() {
        let route = Route::post("/books", order).refuses([ApiError::refused("Out of print")]);
        let endpoint = described(&route);
        assert_eq!(statuses(&endpoint), [201, 400, 413, 415, 503]);
        let body = endpoint.body.expect("it reads a body");
        assert_eq!(body.as_value()["required"], json!(["title"]));
        assert_eq!(body.as_value()["properties"]["title"], json!({ "type": "string" }));
        let book = endpoint.answers[&201].body.as_ref().expect("it shows the book");
        assert_eq!(book.as_value()["required"], json!(["title"]));
        assert!(endpoint.answers[&400].reasons.contains(&"Out of print".to_owned()));
        assert_eq!(endpoint.answers[&503].headers[0].0, "retry-after");
        assert_eq!(endpoint.answers[&400].headers, []);
    }

    #[test]
    fn parameters_are_those_that_the_extractors_read() {
        let endpoint = described(&Route::get("/books", list));
        let names: Vec<_> = endpoint.parameters.iter().map(|p| (p.name, p.is_in_path)).collect();
        assert_eq!(names, [("limit", false), ("after", false)]);
        assert_eq!(statuses(&endpoint), [200, 400, 503]);
        let endpoint = described(&Route::get("/books/{id}", one));
        let names: Vec<_> = endpoint.parameters.iter().map(|p| (p.name, p.is_in_path)).collect();
        assert_eq!(names, [("id", true)]);
        assert_eq!(statuses(&endpoint), [200, 400, 503]);
    }
}
