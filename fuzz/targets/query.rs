//! Fuzzes [`parsers::query`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::query(data));
