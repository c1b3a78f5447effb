//! The rules of the contract: one for each answer of each route, with its reason.

macro_rules! rules {
    ($($name:ident: $statement:literal,)*) => {
        /// A rule of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $statement] $name,)* }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The rule in words: the request, then the answer and its reason.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$name => $statement,)* }
            }
        }
    };
}

rules! {
    UnknownRoute: "any: 404 for an unknown route or method",
    ContentType: "any: 415 for another content type than JSON",
    TooLarge: "any: 413 for a body over the limit",
    NotAnObject: "any: 400 for a body that is not a JSON object",
    Unavailable: "any: 503 because a dependency failed this request",
    Unanswered: "any: no answer because the instance was lost",
    TooMany: "sign-in, sign-up: 429 after too many attempts",
    SignedUp: "sign-up: 201 with a session",
    SignUpInput: "sign-up: 400 for each bad field",
    SignUpTaken: "sign-up: 400 because the address is in use",
    SignedIn: "sign-in: 200 with a session",
    SignInInput: "sign-in: 400 for each bad field",
    SignInUnknown: "sign-in: 400 because the address is unknown",
    SignInPassword: "sign-in: 400 because the password is wrong",
    SignInBanned: "sign-in: 403 because the user is banned",
    SignedOut: "sign-out: 200 and the cookie cleared, and the session ends",
    SignedOutNobody: "sign-out: 200 and the cookie cleared without a session",
    CurrentUser: "current user: 200 with the claims of the session",
    CurrentNobody: "current user: 200 with null without a session",
    AccountSession: "edit account: 401 without a session",
    AccountInput: "edit account: 400 for each bad field",
    AccountNothing: "edit account: 400 without a new address or password",
    AccountGone: "edit account: 401 because the account is gone or banned",
    AccountPassword: "edit account: 400 because the current password is wrong",
    AccountTaken: "edit account: 400 because the address is in use",
    AccountEdited: "edit account: 200 with a session",
    ClaimSession: "claim: 401 without a session",
    ClaimInput: "claim: 400 for a missing claim",
    ClaimInvalid: "claim: 403 because it is another one",
    ClaimGone: "claim: 401 because the account is gone or banned",
    ClaimUsed: "claim: 400 because another user owns it",
    Claimed: "claim: 204, and the user is an administrator",
    ClaimedAgain: "claim: 204 and nothing changes for its owner",
    BanSession: "ban: 401 without a session",
    BanId: "ban: 400 for a malformed id",
    BanForbidden: "ban: 403 because the caller is no administrator",
    BanUnknown: "ban: 404 for an unknown user",
    Banned: "ban: 204, and the user is banned",
    BannedAgain: "ban: 204 and nothing changes for a banned user",
    Unbanned: "lift a ban: 204, and the user is not banned",
    UnbannedAgain: "lift a ban: 204 and nothing changes for a user who is not banned",
    ListSession: "list a ticket: 401 without a session",
    ListInput: "list a ticket: 400 for each bad field",
    Listed: "list a ticket: 201 with version 0",
    TicketPage: "tickets for sale: 200, the free ones, newest first",
    TicketPageInput: "tickets for sale: 400 for a bad limit or cursor",
    TicketId: "ticket: 400 for a malformed id",
    TicketUnknown: "ticket: 404 for an unknown id",
    TicketFree: "ticket: 200 without an order",
    TicketHeld: "ticket: 200 with the order that holds it",
    EditSession: "edit a ticket: 401 without a session",
    EditId: "edit a ticket: 400 for a malformed id",
    EditInput: "edit a ticket: 400 for each bad field",
    EditUnknown: "edit a ticket: 404 for an unknown id",
    EditForeign: "edit a ticket: 401 because the caller is not the seller",
    EditReserved: "edit a ticket: 400 because it is reserved",
    Edited: "edit a ticket: 200, one version higher",
    ReserveSession: "reserve: 401 without a session",
    ReserveInput: "reserve: 400 for a bad field",
    ReserveUnknown: "reserve: 404 for an unknown ticket",
    ReserveLate: "reserve: 503 because the event of a recent ticket may be late",
    ReserveHeld: "reserve: 400 because another order holds the ticket",
    ReserveTooMany: "reserve: 400 because the buyer has too many open orders",
    Reserved: "reserve: 201 at the price of the listing",
    OrderPage: "own orders: 200, newest first",
    OrderPageSession: "own orders: 401 without a session",
    OrderPageInput: "own orders: 400 for a bad limit or cursor",
    OrderSession: "order: 401 without a session",
    OrderId: "order: 400 for a malformed id",
    OrderUnknown: "order: 404 for an unknown id",
    OrderForeign: "order: 401 because the caller is not the buyer",
    OrderShown: "order: 200 with its ticket",
    CancelSession: "cancel: 401 without a session",
    CancelId: "cancel: 400 for a malformed id",
    CancelUnknown: "cancel: 404 for an unknown id",
    CancelForeign: "cancel: 401 because the caller is not the buyer",
    CancelComplete: "cancel: 400 because the order is complete",
    Cancelled: "cancel: 204, and the order is cancelled",
    CancelledAgain: "cancel: 204 and nothing changes for a cancelled order",
    PaySession: "pay: 401 without a session",
    PayInput: "pay: 400 for each bad field",
    PayUnknown: "pay: 404 for an unknown order",
    PayLate: "pay: 503 because the event of a recent order may be late",
    PayForeign: "pay: 401 because the caller is not the buyer",
    PayCancelled: "pay: 400 because the order is cancelled",
    PayPaid: "pay: 400 because the order is paid",
    PayDeclined: "pay: 402 because the card was declined",
    Paid: "pay: 201 with the id of the charge",
}
