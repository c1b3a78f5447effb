//! The bus on JetStream, through `async-nats`.
