//! Fuzzes [`parsers::feature`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::feature(data));
