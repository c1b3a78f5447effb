//! The macro that declares event types with a shared payload.

/// Declares event types that share a state, and the group of all of them. Each type is the
/// state under a name and a subject of its own, so the payload on the wire is the state.
macro_rules! events {
    (
        $(#[$group_doc:meta])* $group:ident of $state:ident by $id:ident:
        $($(#[$doc:meta])* $name:ident = $subject:literal),+ $(,)?
    ) => {
        $(#[$group_doc])*
        pub const $group: platform::event::EventGroup<$state> =
            platform::event::EventGroup::new(&[$(platform::event::EventType::of::<$name>()),+]);

        $(
            $(#[$doc])*
            #[derive(
                Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize,
                schemars::JsonSchema,
            )]
            #[serde(transparent)]
            pub struct $name(pub $state);

            impl platform::event::Event for $name {
                const NAME: &'static str = stringify!($name);
                const SUBJECT: &'static str = $subject;

                fn aggregate(&self) -> &str {
                    &self.0.$id
                }
            }
        )+
    };
}
pub(crate) use events;
