//! Fuzzes [`parsers::replay`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::replay(data));
