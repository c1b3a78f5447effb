//! Decisions on users.

use super::*;

fn user() -> User {
    sign_up("u1".to_owned(), " Ann@Example.org ", "hash".to_owned()).0
}

fn written(decision: Decision<User>) -> User {
    match decision {
        Decision::Keep | Decision::Superseded => panic!("the decision changes nothing"),
        Decision::Write(user, events) => {
            assert_eq!(events.len(), 1);
            user
        }
    }
}

fn change(email: Option<&str>, password: Option<&str>, verified_hash: &str) -> Edit {
    Edit {
        email: email.map(str::to_owned),
        password: password.map(str::to_owned),
        verified_hash: verified_hash.to_owned(),
    }
}

#[test]
fn an_address_is_kept_as_typed_and_compared_without_case() {
    assert_eq!(user().email, "Ann@Example.org");
    assert_eq!(user().email_key, "ann@example.org");
    assert_eq!(user().role, Role::User);
}

#[test]
fn an_unknown_address_and_a_wrong_password_get_the_same_error() {
    assert_eq!(sign_in(None, false), Err(UserError::Credentials));
    assert_eq!(sign_in(Some(user()), false), Err(UserError::Credentials));
    assert_eq!(sign_in(Some(user()), true), Ok(user()));
}

#[test]
fn only_the_right_password_reveals_a_ban() {
    let banned = written(ban(Some(&user()), Timestamp::UNIX_EPOCH).unwrap());
    assert_eq!(sign_in(Some(banned.clone()), false), Err(UserError::Credentials));
    assert_eq!(sign_in(Some(banned), true), Err(UserError::Banned));
}

#[test]
fn a_claim_is_owned_once_and_survives_edits() {
    let owner = written(claim(Some(&user()), "digest").unwrap());
    assert_eq!((owner.role, owner.claim.as_deref()), (Role::Admin, Some("digest")));
    assert_eq!(claim(Some(&owner), "digest"), Ok(Decision::Keep));
    let moved = written(edit(Some(&owner), &change(Some("a@b.c"), None, "hash")).unwrap());
    assert_eq!((moved.role, moved.claim.as_deref()), (Role::Admin, Some("digest")));
    let banned = written(ban(Some(&user()), Timestamp::UNIX_EPOCH).unwrap());
    assert_eq!(claim(Some(&banned), "digest"), Err(UserError::SignedOut));
    assert_eq!(claim(None, "digest"), Err(UserError::SignedOut));
}

#[test]
fn an_edit_needs_the_current_password() {
    let edited = change(None, Some("new hash"), "hash");
    let next = written(edit(Some(&user()), &edited).unwrap());
    assert_eq!((next.password.as_str(), next.version), ("new hash", 1));
    assert_eq!(edit(Some(&next), &edited), Err(UserError::CurrentPassword));
}

#[test]
fn a_new_password_begins_a_generation_of_sessions_and_a_new_address_does_not() {
    let renewed = edit(Some(&user()), &change(None, Some("new hash"), "hash"));
    let renewed = written(renewed.unwrap());
    assert_eq!(renewed.generation, 1);
    let moved = edit(Some(&renewed), &change(Some("a@b.c"), None, "new hash"));
    let Ok(Decision::Write(moved, events)) = moved else { panic!("{moved:?}") };
    assert_eq!(events, [Emit::new(&UserUpdated(moved.state()))]);
    assert_eq!((moved.state().generation, moved.version), (1, 2));
}

#[test]
fn a_sign_out_ends_its_session() {
    let until = Timestamp::UNIX_EPOCH;
    let Decision::Write(left, events) = sign_out(Some(&user()), "s1", until) else { panic!() };
    let (id, session) = ("u1".to_owned(), "s1".to_owned());
    let event = UserSignedOut(SessionEnd { id, session, until, version: 1 });
    assert_eq!((left.generation, events), (0, vec![Emit::new(&event)]));
    assert_eq!(sign_out(None, "s1", until), Decision::Keep);
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let same = change(Some("Ann@Example.org"), None, "hash");
    assert_eq!(edit(Some(&user()), &same), Ok(Decision::Keep));
    let case = change(Some("ann@example.org"), None, "hash");
    assert_eq!(written(edit(Some(&user()), &case).unwrap()).email, "ann@example.org");
}

#[test]
fn a_missing_or_banned_account_cannot_be_edited() {
    let edited = change(None, Some("new hash"), "hash");
    let banned = written(ban(Some(&user()), Timestamp::UNIX_EPOCH).unwrap());
    assert_eq!(edit(None, &edited), Err(UserError::SignedOut));
    assert_eq!(edit(Some(&banned), &edited), Err(UserError::SignedOut));
}

#[test]
fn banning_and_unbanning_are_idempotent() {
    let until = Timestamp::UNIX_EPOCH;
    let banned = written(ban(Some(&user()), until).unwrap());
    assert_eq!((banned.banned, banned.version), (true, 1));
    assert_eq!(ban(Some(&banned), until), Ok(Decision::Keep));
    let free = written(unban(Some(&banned), until).unwrap());
    assert_eq!((free.banned, free.version), (false, 2));
    assert_eq!(unban(Some(&free), until), Ok(Decision::Keep));
    assert_eq!(ban(None, until), Err(UserError::NotFound));
    assert_eq!(unban(None, until), Err(UserError::NotFound));
}
