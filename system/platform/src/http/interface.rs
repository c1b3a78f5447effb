//! The description of a route as data, read off the types of its handler: the parameters, the
//! body and the session that it takes, and the answers that it gives.
//!
//! Each extractor and each response type describes itself, next to the code that reads or writes
//! it, so a description cannot differ from the handler. Nothing here serves a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{Method, StatusCode, header};
use axum::response::NoContent;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::error::{ApiError, Shape};
use ports::entropy::ID_PATTERN;

/// A route of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// The session that it reads; `None` for a route that reads none.
    pub session: Option<SessionCookie>,
    /// The role of its callers beyond a session, in a word; `None` for every caller.
    pub role: Option<&'static str>,
    /// Its parameters, in the order in which the handler reads them.
    pub parameters: Vec<Parameter>,
    /// The schema of its JSON body; `None` for a route that reads none.
    pub body: Option<Schema>,
    /// Its answers by status.
    pub answers: BTreeMap<u16, DeclaredAnswer>,
}

/// The cookie in which a route finds the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    /// The name of the cookie.
    pub cookie: &'static str,
    /// True if the route refuses a request without a session.
    pub is_required: bool,
}

/// A parameter of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its meaning.
    pub about: &'static str,
    /// True if it is in the path; otherwise it is in the query, and optional.
    pub is_in_path: bool,
    /// The schema of its value.
    pub schema: Schema,
}

/// An answer of a route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeclaredAnswer {
    /// The reasons for it, such as the messages of an error.
    pub reasons: Vec<String>,
    /// The schema of its JSON body; `None` for an answer without a body.
    pub body: Option<Schema>,
    /// The headers that it always has: name and meaning.
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Endpoint {
    /// An endpoint of which only the answer of an unavailable dependency is known: requests of all
    /// routes pass servers and proxies, which may be unavailable.
    pub(super) fn new(method: Method, path: &'static str) -> Self {
        let (session, role, body) = (None, None, None);
        let (parameters, answers) = (Vec::new(), BTreeMap::new());
        let mut new = Self { method, path, session, role, parameters, body, answers };
        new.refuses(&ApiError::unavailable());
        new
    }

    /// Adds an error to the answers. Its messages become the reasons.
    pub fn refuses(&mut self, error: &ApiError) {
        let answer = self.answers.entry(error.status().as_u16()).or_default();
        for reason in error.messages().map(str::to_owned) {
            if !answer.reasons.contains(&reason) {
                answer.reasons.push(reason);
            }
        }
        answer.body.get_or_insert_with(written::<Shape>);
        let pause = (header::RETRY_AFTER.as_str(), "The seconds after which a repeat may succeed");
        if error.retry_after().is_some() && !answer.headers.contains(&pause) {
            answer.headers.push(pause);
        }
    }
}

/// The schema of a type as JSON that is read.
pub(super) fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// The schema of a type as JSON that is written.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// The schema of a document id.
pub(super) fn id_schema() -> Schema {
    json_schema!({ "type": "string", "pattern": ID_PATTERN })
}

/// The schema of a document id. For `#[schemars(with = "DocumentId")]`.
#[derive(Debug)]
pub enum DocumentId {}

impl JsonSchema for DocumentId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DocumentId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        id_schema()
    }
}

/// An extractor that describes what it takes from a request, and its refusals.
pub trait Takes {
    /// Adds it to an endpoint.
    fn describe(endpoint: &mut Endpoint);

    /// Adds it to an endpoint that does without it where it is absent.
    fn describe_optional(_: &mut Endpoint) {}
}

impl<S> Takes for State<S> {
    fn describe(_: &mut Endpoint) {}
}

/// A server adds extensions; a client cannot.
impl<T> Takes for Extension<T> {
    fn describe(_: &mut Endpoint) {}
}

impl<T: Takes> Takes for Option<T> {
    fn describe(endpoint: &mut Endpoint) {
        T::describe_optional(endpoint);
    }
}

/// A response of a handler that describes itself. Errors are declared with the route.
pub trait Gives {
    /// The status and the answer.
    fn answer() -> (StatusCode, DeclaredAnswer);
}

impl<T: JsonSchema> Gives for Json<T> {
    fn answer() -> (StatusCode, DeclaredAnswer) {
        let answer = DeclaredAnswer { body: Some(written::<T>()), ..DeclaredAnswer::default() };
        (StatusCode::OK, answer)
    }
}

impl Gives for NoContent {
    fn answer() -> (StatusCode, DeclaredAnswer) {
        (StatusCode::NO_CONTENT, DeclaredAnswer::default())
    }
}

impl<T: Gives> Gives for Result<T, ApiError> {
    fn answer() -> (StatusCode, DeclaredAnswer) {
        T::answer()
    }
}

/// A handler whose arguments and response describe themselves. `T` are its arguments, as in
/// [`axum::handler::Handler`].
pub trait Described<T> {
    /// Adds the arguments and the response to an endpoint.
    fn describe(endpoint: &mut Endpoint);
}

macro_rules! described {
    ($($argument:ident)*) => {
        impl<F, Fut, M, $($argument,)*> Described<(M, $($argument,)*)> for F
        where
            F: FnOnce($($argument),*) -> Fut,
            Fut: Future<Output: Gives>,
            $($argument: Takes,)*
        {
            fn describe(endpoint: &mut Endpoint) {
                $($argument::describe(endpoint);)*
                let (status, answer) = <Fut::Output as Gives>::answer();
                endpoint.answers.insert(status.as_u16(), answer);
            }
        }
    };
}

described!();
described!(A);
described!(A B);
described!(A B C);
described!(A B C D);
described!(A B C D E);
described!(A B C D E G);
