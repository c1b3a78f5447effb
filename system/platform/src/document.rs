//! Documents of services, and their form in the store.

use bson::{Document, doc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use ports::store::{Index, ReadError};

/// A document of a service. Its serialized form has an `id`, which its collection stores as
/// `_id`, and all its fields, absent values as null; the fields `leaves`, `outbox`,
/// `published` and `revision` belong to the collection.
pub trait Aggregate: Serialize + DeserializeOwned + Send + Sync {
    /// The name of its collection.
    const COLLECTION: &'static str;

    /// Returns its indexes, without those of the primary key and the outbox. None by default.
    fn indexes() -> Vec<Index> {
        Vec::new()
    }
}

/// Returns the document as its collection stores it, without the fields of the collection.
///
/// # Panics
///
/// If the aggregate has no `id`, or is no plain document.
pub fn encode<T: Aggregate>(aggregate: &T) -> Document {
    let mut fields =
        bson::serialize_to_document(aggregate).expect("an aggregate is a plain document");
    let mut document = doc! { "_id": fields.remove("id").expect("an aggregate has an id") };
    document.extend(fields);
    document
}

/// Reads a stored document.
///
/// # Errors
///
/// [`ReadError::Rejected`] if the document is not one of a `T`.
pub fn decode<T: Aggregate>(mut document: Document) -> Result<T, ReadError> {
    if let Some(id) = document.remove("_id") {
        document.insert("id", id);
    }
    bson::deserialize_from_document(document)
        .map_err(|e| ReadError::Rejected(format!("a document in {}: {e}", T::COLLECTION)))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Room {
        beds: i64,
        id: String,
    }

    impl Aggregate for Room {
        const COLLECTION: &'static str = "rooms";
    }

    #[test]
    fn an_aggregate_is_stored_under_its_id() {
        let room = Room { beds: 2, id: "12".to_owned() };
        let mut stored = encode(&room);
        assert_eq!(stored, doc! { "_id": "12", "beds": 2_i64 });
        stored.insert("revision", 3);
        assert_eq!(decode(stored), Ok(room));
    }

    #[test]
    fn a_document_without_an_id_is_rejected() {
        let stored = decode::<Room>(doc! { "beds": 2_i64 });
        assert!(matches!(stored, Err(ReadError::Rejected(_))), "{stored:?}");
    }
}
