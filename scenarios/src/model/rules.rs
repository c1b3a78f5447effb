//! The rules of the contract: one for each answer of each route, with its reason.

/// The requests that a group of rules is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// The methods; none for the rules of any request.
    pub methods: &'static [&'static str],
    /// The path, with parameters in braces.
    pub path: &'static str,
}

macro_rules! rules {
    ($($group:literal $methods:tt $path:literal {
        $($name:ident: $status:literal $reason:literal,)*
    })*) => {
        /// A rule of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = concat!($group, ": ", $status, $reason)] $name,)*)*
            /// A request without an answer.
            Unanswered,
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)* Self::Unanswered];

            /// The rule in words: the request, then the answer and its reason.
            pub const fn statement(self) -> &'static str {
                match self {
                    $($(Self::$name => concat!($group, ": ", $status, $reason),)*)*
                    Self::Unanswered => "any: no answer because the instance was lost",
                }
            }

            /// The status of the answer; 0 without an answer.
            pub const fn status(self) -> u16 {
                match self {
                    $($(Self::$name => $status,)*)*
                    Self::Unanswered => 0,
                }
            }

            /// The requests that the rule is about.
            pub const fn requests(self) -> Requests {
                match self {
                    $($(Self::$name => Requests { methods: &$methods, path: $path },)*)*
                    Self::Unanswered => Requests { methods: &[], path: "" },
                }
            }
        }
    };
}

rules! {
    "any" [] "" {
        UnknownRoute: 404 " for an unknown route or method",
        ContentType: 415 " for another content type than JSON",
        TooLarge: 413 " for a body over the limit",
        NotAnObject: 400 " for a body that is not a JSON object",
        Unavailable: 503 " because a dependency failed this request",
    }
    "sign-up" ["POST"] "/api/users/signup" {
        SignedUp: 201 " with a session",
        SignUpInput: 400 " for each bad field",
        SignUpTaken: 400 " because the address is in use",
        SignUpTooMany: 429 " after too many attempts",
    }
    "sign-in" ["POST"] "/api/users/signin" {
        SignedIn: 200 " with a session",
        SignInInput: 400 " for each bad field",
        SignInUnknown: 400 " because the address is unknown",
        SignInPassword: 400 " because the password is wrong",
        SignInBanned: 403 " because the user is banned",
        SignInTooMany: 429 " after too many attempts",
    }
    "sign-out" ["POST"] "/api/users/signout" {
        SignedOut: 200 " and the cookie cleared, and the session ends",
        SignedOutNobody: 200 " and the cookie cleared without a session",
    }
    "current user" ["GET"] "/api/users/currentuser" {
        CurrentUser: 200 " with the claims of the session",
        CurrentNobody: 200 " with null without a session",
    }
    "edit account" ["PATCH"] "/api/users/me" {
        AccountSession: 401 " without a session",
        AccountInput: 400 " for each bad field",
        AccountNothing: 400 " without a new address or password",
        AccountGone: 401 " because the account is gone or banned",
        AccountPassword: 400 " because the current password is wrong",
        AccountTaken: 400 " because the address is in use",
        AccountEdited: 200 " with a session",
        AccountTooMany: 429 " after too many attempts",
    }
    "claim" ["POST"] "/api/users/me/admin" {
        ClaimSession: 401 " without a session",
        ClaimInput: 400 " for a missing claim",
        ClaimInvalid: 403 " because it is another one",
        ClaimGone: 401 " because the account is gone or banned",
        ClaimUsed: 400 " because another user owns it",
        Claimed: 204 ", and the user is an administrator",
        ClaimedAgain: 204 " and nothing changes for its owner",
        ClaimTooMany: 429 " after too many attempts",
    }
    "ban" ["POST", "DELETE"] "/api/users/{id}/ban" {
        BanSession: 401 " without a session",
        BanId: 400 " for a malformed id",
        BanForbidden: 403 " because the caller is no administrator",
        BanUnknown: 404 " for an unknown user",
        Banned: 204 ", and the user is banned",
        BannedAgain: 204 " and nothing changes for a banned user",
    }
    "lift a ban" ["DELETE"] "/api/users/{id}/ban" {
        Unbanned: 204 ", and the user is not banned",
        UnbannedAgain: 204 " and nothing changes for a user who is not banned",
    }
    "list a ticket" ["POST"] "/api/tickets" {
        ListSession: 401 " without a session",
        ListInput: 400 " for each bad field",
        Listed: 201 " with version 0",
    }
    "tickets for sale" ["GET"] "/api/tickets" {
        TicketPage: 200 ", the free ones, newest first",
        TicketPageInput: 400 " for a bad limit or cursor",
    }
    "ticket" ["GET"] "/api/tickets/{id}" {
        TicketId: 400 " for a malformed id",
        TicketUnknown: 404 " for an unknown id",
        TicketFree: 200 " without an order",
        TicketHeld: 200 " with the order that holds it",
    }
    "edit a ticket" ["PUT"] "/api/tickets/{id}" {
        EditSession: 401 " without a session",
        EditId: 400 " for a malformed id",
        EditInput: 400 " for each bad field",
        EditUnknown: 404 " for an unknown id",
        EditForeign: 401 " because the caller is not the seller",
        EditReserved: 400 " because it is reserved",
        Edited: 200 ", one version higher",
    }
    "reserve" ["POST"] "/api/orders" {
        ReserveSession: 401 " without a session",
        ReserveInput: 400 " for a bad field",
        ReserveUnknown: 404 " for an unknown ticket",
        ReserveLate: 503 " because the event of a recent ticket may be late",
        ReserveHeld: 400 " because another order holds the ticket",
        ReserveTooMany: 400 " because the buyer has too many open orders",
        Reserved: 201 " at the price of the listing",
    }
    "own orders" ["GET"] "/api/orders" {
        OrderPage: 200 ", newest first",
        OrderPageSession: 401 " without a session",
        OrderPageInput: 400 " for a bad limit or cursor",
    }
    "order" ["GET"] "/api/orders/{id}" {
        OrderSession: 401 " without a session",
        OrderId: 400 " for a malformed id",
        OrderUnknown: 404 " for an unknown id",
        OrderForeign: 401 " because the caller is not the buyer",
        OrderShown: 200 " with its ticket",
    }
    "cancel" ["DELETE"] "/api/orders/{id}" {
        CancelSession: 401 " without a session",
        CancelId: 400 " for a malformed id",
        CancelUnknown: 404 " for an unknown id",
        CancelForeign: 401 " because the caller is not the buyer",
        CancelComplete: 400 " because the order is complete",
        Cancelled: 204 ", and the order is cancelled",
        CancelledAgain: 204 " and nothing changes for a cancelled order",
    }
    "pay" ["POST"] "/api/payments" {
        PaySession: 401 " without a session",
        PayInput: 400 " for each bad field",
        PayUnknown: 404 " for an unknown order",
        PayLate: 503 " because the event of a recent order may be late",
        PayForeign: 401 " because the caller is not the buyer",
        PayCancelled: 400 " because the order is cancelled",
        PayPaid: 400 " because the order is paid",
        PayDeclined: 402 " because the card was declined",
        Paid: 201 " with the id of the charge",
    }
}
