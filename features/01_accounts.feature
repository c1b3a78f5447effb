Feature: Accounts and sessions

  Scenario: Signing up signs the new user in
    When Anna signs up
    Then Anna succeeds
    And Anna is signed in as "anna@example.org"
    And the session cookie is HttpOnly and SameSite=Lax

  Scenario: Signing out ends the session
    Given Anna has signed up
    When Anna signs out
    Then Anna is signed out

  # Mallory has a copy of Anna's cookie.
  Scenario: A session that was signed out is rejected by every instance
    Given there are 2 instances of tickets
    And Anna has signed up
    And Mallory presents Anna's session as it is
    When Anna signs out
    And at the same moment
      | Mallory | lists | Opera  | 20.00 |
      | Mallory | lists | Ballet | 20.00 |
    Then exactly 0 of them succeed
    And the others get the error "Not authorized"
    And Mallory is signed out

  Scenario: Signing out ends no other session of the user
    Given Anna has signed up
    And Mallory presents Anna's session as it is
    When Anna signs in with the email "anna@example.org" and the password "curtain"
    And Anna signs out
    And Mallory lists "Opera" for 20.00
    Then Mallory succeeds

  Scenario: A new password ends the sessions of the old one
    Given Anna has signed up
    And Mallory presents Anna's session as it is
    When Anna changes the password to "second act", confirming with the password "curtain"
    Then Anna is signed in
    When Mallory lists "Opera" for 20.00
    Then Mallory gets the error "Not authorized"
    When Anna lists "Opera" for 20.00
    Then Anna succeeds

  @short-ack-wait
  Scenario: An ended session stays so after a restart
    Given Anna has signed up
    And Mallory presents Anna's session as it is
    When Anna signs out
    And tickets is stopped and started again
    And Mallory lists "Opera" for 20.00
    Then Mallory gets the error "Not authorized"

  Scenario: A user signs in again after signing out
    Given Anna has signed up
    And Anna has signed out
    When Anna signs in with the email "anna@example.org" and the password "curtain"
    Then Anna succeeds
    And Anna is signed in

  Scenario: Email addresses are case-insensitive
    Given Anna has signed up
    And Anna has signed out
    When Anna signs in with the email "ANNA@Example.org" and the password "curtain"
    Then Anna is signed in

  # Keyboards differ in how they compose an accented letter.
  Scenario: A password is the same in every Unicode form
    When Anna signs up with the email "anna@example.org" and the password "cafés"
    And Anna signs out
    And Anna signs in with the email "anna@example.org" and the password "cafés"
    Then Anna is signed in

  @simulated-only
  # Twenty attempts hash twenty passwords, and a real instance takes its time for each.
  Scenario: A client that guesses a password has to wait
    Given Anna has signed up
    When Visitor guesses the password of "anna@example.org" 20 times
    And Visitor signs in with the email "anna@example.org" and the password "curtain"
    Then the request is rejected with status 429

  Scenario Outline: A failed sign-in does not reveal whether the account exists
    Given Anna has signed up
    When Visitor signs in with the email "<address>" and the password "<password>"
    Then Visitor gets the error "Invalid credentials"
    And Visitor is signed out

    Examples:
      | address            | password |
      | anna@example.org   | wrong    |
      | nobody@example.org | curtain  |

  Scenario: An email address belongs to one account
    Given Anna has signed up
    When Boris signs up with the email "Anna@example.org" and the password "curtain"
    Then Boris gets the error "Email in use"

  Scenario: Of eight concurrent sign-ups with one email address, one succeeds
    When 8 people sign up with the email "first@example.org" at the same moment
    Then exactly 1 of them succeeds
    And the others get the error "Email in use"

  Scenario Outline: A rejected sign-up lists every invalid field
    When Boris signs up with the email "<address>" and the password "<password>"
    Then Boris gets a validation error for "<fields>"

    Examples:
      | address           | password              | fields             |
      | boris             | curtain               | email              |
      | boris@example.org | abc                   | password           |
      | boris@example.org | 123456789012345678901 | password           |
      | not an address    |                       | email and password |

  Scenario: A rejected sign-in lists every invalid field
    When Visitor signs in with the email "anna" and the password ""
    Then Visitor gets a validation error for "email and password"

  Scenario: A user changes the email address
    Given Anna has signed up
    When Anna changes the email to "anna@opera.example", confirming with the password "curtain"
    Then Anna succeeds
    And Anna is signed in as "anna@opera.example"

  Scenario: Changing an account requires its current password
    Given Anna has signed up
    When Anna changes the password to "mine now", confirming with the password "wrong"
    Then Anna gets a validation error for "currentPassword"

  Scenario: The old password stops working after a change
    Given Anna has signed up
    When Anna changes the password to "second act", confirming with the password "curtain"
    And Anna signs in with the email "anna@example.org" and the password "curtain"
    Then Anna gets the error "Invalid credentials"

  Scenario: The new password works after a change
    Given Anna has signed up
    When Anna changes the password to "second act", confirming with the password "curtain"
    And Anna signs out
    And Anna signs in with the email "anna@example.org" and the password "second act"
    Then Anna is signed in

  Scenario: Changing an account requires a session
    When Visitor changes the email to "anna@opera.example", confirming with the password "curtain"
    Then Visitor gets the error "Not authorized"

  Scenario: Account changes are validated like a sign-up
    Given Anna has signed up
    When Anna changes the email to "opera", confirming with the password "curtain"
    Then Anna gets a validation error for "email"
    When Anna changes the password to "abc", confirming with the password "curtain"
    Then Anna gets a validation error for "password"

  Scenario: A user cannot change to an email address that is in use
    Given Anna has signed up
    And Boris has signed up
    When Boris changes the email to "anna@example.org", confirming with the password "curtain"
    Then Boris gets the error "Email in use"

  Scenario Outline: A forged session is ignored
    Given Anna has signed up
    And Mallory presents Anna's session <change>
    When Mallory lists "Opera" for 20.00
    Then Mallory gets the error "Not authorized"
    And Mallory is signed out

    Examples:
      | change                         |
      | with a different signature     |
      | without a signature            |
      | with the algorithm set to none |
      | truncated to half its length   |
      | without claims                 |

  Scenario: A malformed session is ignored
    Given Mallory presents the session "nonsense"
    When Mallory lists "Opera" for 20.00
    Then Mallory gets the error "Not authorized"

  Scenario: A session expires after two hours
    Given Anna has signed up
    When 2 hours pass
    Then Anna is signed out
