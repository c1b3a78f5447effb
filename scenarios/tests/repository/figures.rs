//! Figures in the documents are those of the code.

use harness::Subject as _;
use harness::subject::AnySubject;
use scenarios::Ticketing;

use super::tree;

const NUMBERS: [&str; 21] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
    "Twenty",
];

#[test]
fn the_documents_count_the_generic_invariants() {
    let own = Ticketing.invariants().len();
    let generic = AnySubject::new(Ticketing).invariants().len() - own;
    let number = NUMBERS[generic];
    for (file, sentence) in [
        ("README.md", "invariants need no code of yours"),
        ("docs/guide.md", "more are checked for every subject"),
    ] {
        let text = std::fs::read_to_string(tree::root().join(file)).expect("it is readable");
        let expected = format!("{number} {sentence}");
        assert!(text.contains(&expected), "{file} does not say \"{expected}\"");
    }
}
