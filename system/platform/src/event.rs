//! Event types, and the envelope in which an event waits in an outbox.
//!
//! An event carries the whole state that its readers copy, with the version of its origin, so
//! each event can be applied without the ones before it. Nothing here publishes: see
//! [`crate::outbox`].
//!
//! [`events!`](crate::events) declares event types.

use std::marker::PhantomData;

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A type of event. Its payload is the implementing type as JSON.
pub trait Event:
    Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static
{
    /// The name of the type, used as `ce-type` and in consumer names: `OrderCreated`.
    const NAME: &'static str;
    /// `noun.verb`, without the namespace: `order.created`.
    const SUBJECT: &'static str;

    /// Returns the id of the aggregate that the event describes, sent as `ce-subject`.
    fn aggregate(&self) -> &str;
}

/// The name, the subject and the schema of an event type.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// [`Event::NAME`].
    pub name: &'static str,
    /// [`Event::SUBJECT`].
    pub subject: &'static str,
    /// Returns the JSON Schema of the payload.
    pub schema: fn() -> Schema,
}

impl EventType {
    /// Describes `E`.
    #[must_use]
    pub const fn of<E: Event>() -> Self {
        Self { name: E::NAME, subject: E::SUBJECT, schema: || schemars::schema_for!(E) }
    }
}

/// Event types that share the payload `P`, so that one function handles all of them. They also
/// share their publisher and their consumers.
#[derive(Debug, Clone, Copy)]
pub struct EventGroup<P> {
    types: &'static [EventType],
    /// The service that publishes them.
    pub from: &'static str,
    /// The services that consume them.
    pub to: &'static [&'static str],
    payload: PhantomData<fn() -> P>,
}

impl<P> EventGroup<P> {
    /// Groups these types. The payload of each must be the JSON of a `P`.
    #[must_use]
    pub const fn new(
        types: &'static [EventType],
        from: &'static str,
        to: &'static [&'static str],
    ) -> Self {
        Self { types, from, to, payload: PhantomData }
    }

    /// Returns the members of the group.
    #[must_use]
    pub const fn types(&self) -> &'static [EventType] {
        self.types
    }
}

/// An event that waits to be published: an entry of a document's `outbox` array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The event's id, which is also the message id that deduplicates it.
    pub id: String,
    /// The event type.
    pub name: String,
    /// The subject, without the namespace.
    pub subject: String,
    /// The id of the aggregate that the event describes.
    pub aggregate: String,
    /// The time of the write, RFC 3339.
    pub time: String,
    /// The origin that caused the event.
    pub traceparent: String,
    /// The payload as it is published, byte for byte.
    pub payload: String,
}

/// An event that a decision asks for. The write gives it its id and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit {
    pub(crate) name: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) aggregate: String,
    pub(crate) payload: String,
}

impl Emit {
    /// Asks for this event.
    #[must_use]
    pub fn new<E: Event>(event: &E) -> Self {
        Self {
            name: E::NAME,
            subject: E::SUBJECT,
            aggregate: event.aggregate().to_owned(),
            payload: serde_json::to_string(event).expect("an event is plain data"),
        }
    }
}

/// Declares groups of event types: the state that a group carries, its publisher, its consumers,
/// and the name and the subject of each type. Each type is the state under a name of its own, so
/// the payload is the JSON of the state. The state has a field `id`: that of its aggregate.
///
/// The calling crate needs `serde` and `schemars`.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// A room.
/// #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
/// pub struct RoomState {
///     id: String,
///     version: i64,
/// }
///
/// platform::events! {
///     /// Every event of a room.
///     pub ROOM_EVENTS of RoomState, from "housekeeping" to ["frontdesk"]:
///     /// A room was cleaned.
///     RoomCleaned = "room.cleaned",
///     /// A room was closed.
///     RoomClosed = "room.closed";
/// }
///
/// assert_eq!(ROOM_EVENTS.types()[1].name, "RoomClosed");
/// assert_eq!(ROOM_EVENTS.entries()[1].to, ["frontdesk"]);
/// ```
#[macro_export]
macro_rules! events {
    ($(
        $(#[$group_doc:meta])*
        $visible:vis $group:ident of $state:ident, from $from:literal to [$($to:literal),*]:
        $($(#[$doc:meta])* $name:ident = $subject:literal),+;
    )+) => {$(
        $(#[$group_doc])*
        $visible const $group: $crate::event::EventGroup<$state> = $crate::event::EventGroup::new(
            &[$($crate::event::EventType::of::<$name>()),+],
            $from,
            &[$($to),*],
        );
        $(
            $(#[$doc])*
            #[derive(
                Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize,
                schemars::JsonSchema,
            )]
            #[serde(transparent)]
            $visible struct $name($visible $state);

            impl $crate::event::Event for $name {
                const NAME: &'static str = stringify!($name);
                const SUBJECT: &'static str = $subject;

                fn aggregate(&self) -> &str {
                    &self.0.id
                }
            }
        )+
    )+};
}
