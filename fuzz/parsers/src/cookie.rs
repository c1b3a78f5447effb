//! The choice of a session cookie, and the token in it.

use http::{HeaderMap, HeaderValue, header};
use identity::session::Sessions;
use ports::Timestamp;
use ticketing::Settings;

use crate::inert::{cookie as signed_in, ports};

/// Lines of cookies identify a user whose new session identifies the same one, or nobody. Lines
/// beside a good session hide it only if they hold a good one themselves, and under another key
/// nothing is good.
///
/// # Panics
///
/// If that is false.
pub fn cookie(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, line);
        }
    }
    let config = Settings::rehearsal().session;
    let sessions = Sessions::new(&config, &ports("auth"));
    let user = sessions.current(&headers);
    if let Some(user) = &user {
        let since = Timestamp::UNIX_EPOCH;
        let issued = sessions.issue(&user.id, &user.email, user.generation, since);
        let mut again = HeaderMap::new();
        let text = issued.to_str().expect("it is text");
        let pair = text.split(';').next().expect("it has a first part");
        again.append(header::COOKIE, HeaderValue::from_str(pair).expect("it is a header"));
        let same = sessions.current(&again).expect("a new session is good");
        assert_eq!((&same.id, &same.email), (&user.id, &user.email));
    }
    let mut beside = headers.clone();
    let good = HeaderValue::from_str(&signed_in()).expect("it is a header");
    beside.append(header::COOKIE, good);
    let found = sessions.current(&beside).expect("a good session is found beside any other");
    assert!(user.is_none_or(|user| user == found));

    let mut other = config;
    other.key = "another key".to_owned();
    let other = Sessions::new(&other, &ports("auth"));
    assert!(other.current(&headers).is_none(), "a session of another key is accepted");
}
