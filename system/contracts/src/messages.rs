//! The messages of error responses, for services that send them and clients that expect them.
//!
//! They are part of the wire contract: existing clients compare them. Messages about a single
//! input field are not listed here.

pub use platform::http::error::{
    INTERNAL, NOT_AUTHORIZED, NOT_FOUND, TOO_MANY_ATTEMPTS, UNAVAILABLE,
};

/// 400: another account has the address.
pub const EMAIL_IN_USE: &str = "Email in use";
/// 400: unknown address or wrong password.
pub const INVALID_CREDENTIALS: &str = "Invalid credentials";
/// 403: the caller is not an administrator.
pub const NOT_ADMINISTRATOR: &str = "Not an administrator";
/// 403: no administrator's claim is like this one.
pub const INVALID_CLAIM: &str = "Invalid claim";
/// 400: another account owns the claim.
pub const CLAIM_USED: &str = "Claim is used";
/// 403: the account is banned.
pub const USER_BANNED: &str = "User is banned";

/// 400: an order holds the ticket, so its title and price are frozen.
pub const CANNOT_EDIT_RESERVED: &str = "Cannot edit a reserved ticket";

/// 400: another order holds the ticket.
pub const ALREADY_RESERVED: &str = "Ticket is already reserved";
/// 400: the buyer has as many open orders as one user may have.
pub const TOO_MANY_OPEN_ORDERS: &str = "Too many open orders";
/// 400: the order is paid.
pub const CANNOT_CANCEL_COMPLETED: &str = "Cannot cancel a completed order";

/// 400: the order is cancelled.
pub const CANNOT_PAY_CANCELLED: &str = "Cannot pay for a cancelled order";
/// 400: the order is paid.
pub const ALREADY_PAID: &str = "Order is already paid";
/// 402: the provider declined the card.
pub const PAYMENT_DECLINED: &str = "Payment declined";
