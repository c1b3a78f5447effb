//! The rules of the house that no compiler checks: which crate knows which, and how files look.

mod house {
    mod graph;
    mod tidy;
}
