Feature: Accounts and sessions

  Scenario: Somebody who signs up is signed in
    When Anna signs up
    Then Anna succeeds
    And Anna is signed in as "anna@example.org"
    And no script in a page can read the session cookie, and no other site can send it

  Scenario: Signing out ends the session
    Given Anna has signed up
    When Anna signs out
    Then Anna is signed out

  Scenario: Signing in again
    Given Anna has signed up
    And Anna has signed out
    When Anna signs in with the address "anna@example.org" and the password "curtain"
    Then Anna succeeds
    And Anna is signed in

  Scenario: An address is the same in capitals
    Given Anna has signed up
    And Anna has signed out
    When Anna signs in with the address "ANNA@Example.org" and the password "curtain"
    Then Anna is signed in

  Scenario Outline: Who gets in is not told who exists
    Given Anna has signed up
    When Somebody signs in with the address "<address>" and the password "<password>"
    Then Somebody is told "Invalid credentials"
    And Somebody is signed out

    Examples:
      | address            | password |
      | anna@example.org   | wrong    |
      | nobody@example.org | curtain  |

  Scenario: An address is taken once
    Given Anna has signed up
    When Boris signs up with the address "Anna@example.org" and the password "curtain"
    Then Boris is told "Email in use"

  Scenario: Eight people want the same address at the same moment
    When 8 people sign up with the address "first@example.org" at the same moment
    Then exactly 1 of them succeeds
    And the others are told "Email in use"

  Scenario Outline: What is wrong with a sign-up is said field by field
    When Boris signs up with the address "<address>" and the password "<password>"
    Then Boris is told that "<fields>" is not right

    Examples:
      | address           | password              | fields             |
      | boris             | curtain               | email              |
      | boris@example.org | abc                   | password           |
      | boris@example.org | 123456789012345678901 | password           |
      | not an address    |                       | email and password |

  Scenario: Changing the address
    Given Anna has signed up
    When Anna changes the address to "anna@opera.example", giving the password "curtain"
    Then Anna succeeds
    And Anna is signed in as "anna@opera.example"

  Scenario: Nobody changes an account without knowing its password
    Given Anna has signed up
    When Anna changes the password to "mine now", giving the password "wrong"
    Then Anna is told that "currentPassword" is not right

  Scenario: A new password replaces the old one
    Given Anna has signed up
    When Anna changes the password to "second act", giving the password "curtain"
    And Anna signs in with the address "anna@example.org" and the password "curtain"
    Then Anna is told "Invalid credentials"

  Scenario: An address that is taken cannot be changed to
    Given Anna has signed up
    And Boris has signed up
    When Boris changes the address to "anna@example.org", giving the password "curtain"
    Then Boris is told "Email in use"

  Scenario Outline: A forged session counts as none
    Given Anna has signed up
    And Mallory carries Anna's session, but <how>
    When Mallory lists "Opera" for 20.00
    Then Mallory is told "Not authorized"
    And Mallory is signed out

    Examples:
      | how                             |
      | with another signature          |
      | without a signature             |
      | that says it needs no signature |
      | cut in half                     |
      | with the claims of nobody       |

  Scenario: Nonsense for a session counts as none
    Given Mallory carries a session that reads "nonsense"
    When Mallory lists "Opera" for 20.00
    Then Mallory is told "Not authorized"

  Scenario: A session runs out
    Given Anna has signed up
    When 2 hours pass
    Then Anna is signed out
