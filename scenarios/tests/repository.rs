//! Rules of the repository that no compiler checks: the dependencies between crates and between
//! files, the form of files, and the words in them.

mod repository {
    mod circles;
    mod crates;
    mod files;
    mod imports;
    mod tree;
    mod words;
}
