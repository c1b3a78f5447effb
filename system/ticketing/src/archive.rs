//! `ticketing archive`: writes the documents that leave within a period, before they do.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use adapters::mongo::Mongo;
use anyhow::Context;
use bson::Document;
use platform::archive::Leaving;
use ports::Timestamp;
use serde_json::json;
use ticketing::LEAVING;

use crate::cli::Archive;
use crate::values::day;

/// The number of lines after which the progress is reported.
const REPORTED: u64 = 100_000;

/// Writes one line of JSON per document. A file appears under its name once it is complete.
pub(crate) async fn write(args: Archive) -> anyhow::Result<ExitCode> {
    let client = Mongo::client(&args.mongo_url).await.context("MONGO_URL")?;
    let period = args.from.unwrap_or(Timestamp::UNIX_EPOCH)..args.until;
    let chosen =
        |service: &str| args.service.is_empty() || args.service.iter().any(|s| s == service);
    let (mut out, unfinished) = open(&args.out.replace("{from}", &day(period.start)))?;
    let (mut lines, mut collections) = (0, 0);
    for (service, collection) in LEAVING.iter().filter(|(service, _)| chosen(service)) {
        let store = Mongo::with_client(&client, &format!("{}-{service}", args.namespace));
        let mut leaving = Leaving::new(&store, collection, &period);
        loop {
            let page = leaving.next().await;
            let page = page.with_context(|| format!("{service}.{collection} cannot be read"))?;
            if page.is_empty() {
                break;
            }
            for document in page {
                writeln!(out, "{}", line(service, collection, &document)).context("--out")?;
                lines += 1;
                if lines % REPORTED == 0 {
                    eprintln!("archived so far: {lines} documents, now of {service}.{collection}");
                }
            }
        }
        collections += 1;
    }
    out.flush().context("--out")?;
    drop(out);
    if let Some((unfinished, finished)) = unfinished {
        File::open(&unfinished).and_then(|file| file.sync_all()).context("--out")?;
        std::fs::rename(&unfinished, &finished).context("--out")?;
    }
    eprintln!("archived: {lines} documents of {collections} collections");
    Ok(ExitCode::SUCCESS)
}

/// The line of a document, as MongoDB's extended JSON: a date stays one, and a number is a number.
fn line(service: &str, collection: &str, document: &Document) -> String {
    json!({ "service": service, "collection": collection, "document": document }).to_string()
}

/// The file under its unfinished name, and the name that it gets.
type Renamed = Option<(PathBuf, PathBuf)>;

fn open(out: &str) -> anyhow::Result<(Box<dyn Write>, Renamed)> {
    if out == "-" {
        return Ok((Box::new(BufWriter::new(io::stdout())), None));
    }
    let unfinished = PathBuf::from(format!("{out}.unfinished"));
    let file = File::create(&unfinished);
    let file = file.with_context(|| format!("--out: {}", unfinished.display()))?;
    Ok((Box::new(BufWriter::new(file)), Some((unfinished, PathBuf::from(out)))))
}

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};

    use super::*;

    #[test]
    fn a_line_is_read_back_as_its_document() {
        let document = doc! {
            "_id": "o1",
            "price": 1999_i64,
            "leaves": bson::DateTime::from_millis(1_700_000_000_123),
            "reason": Bson::Null,
        };
        let line = line("orders", "orders", &document);
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["service"], &read["collection"]), (&json!("orders"), &json!("orders")));
        let back: Document = serde_json::from_value(read["document"].clone()).unwrap();
        assert_eq!(back.get_str("_id").ok(), Some("o1"));
        assert_eq!(back.get("leaves"), document.get("leaves"));
        assert_eq!(back.get("reason"), Some(&Bson::Null));
        let price = back
            .get("price")
            .and_then(|price| price.as_i64().or_else(|| price.as_i32().map(i64::from)));
        assert_eq!(price, Some(1999));
    }
}
