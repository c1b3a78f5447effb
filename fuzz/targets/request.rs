//! Fuzzes [`parsers::request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::request(data));
