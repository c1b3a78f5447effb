//! Rules of the repository that no compiler checks: the dependencies between crates and between
//! files, the form of files, the words in them, and the rights of the deployment.

mod repository {
    mod circles;
    mod crates;
    mod deploy;
    mod figures;
    mod files;
    mod imports;
    mod tree;
    mod words;
}
