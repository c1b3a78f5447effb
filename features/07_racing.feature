@race
Feature: People want the same thing at the same moment

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: Fifty buyers, one ticket
    When 50 buyers reserve "Opera" at the same moment
    Then exactly 1 of them has "Opera"
    And the others are told "Ticket is already reserved"

  Scenario: Two buyers at once, over two instances of orders
    Given there are 2 instances of orders
    When at the same moment
      | Boris | reserves | Opera |
      | Clara | reserves | Opera |
    Then exactly 1 of them has "Opera"

  Scenario: One lets go while others reach for it
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
      | Dora  | reserves | Opera |
    Then Boris's order of "Opera" is cancelled

  Scenario: The price changes while somebody reserves
    When at the same moment
      | Anna  | reprices | Opera | 99.00 |
      | Boris | reserves | Opera |       |
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order of "Opera" is complete

  Scenario: A ban and a purchase meet
    When at the same moment
      | Admin | bans     | Boris |
      | Boris | reserves | Opera |
    And Boris reserves "Opera"
    Then Boris is told "Not authorized"

  Scenario: A payment that is declined meets a cancel
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | pays with a declined card for | Opera |
      | Boris | cancels        | Opera |
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00
    And Boris was never charged for "Opera"

  Scenario: Two changes at the same moment both count
    When at the same moment
      | Anna | reprices | Opera | 30.00 |
      | Anna | reprices | Opera | 40.00 |
    Then exactly 2 of them succeed
    And "Opera" is in version 2

  Scenario: Cancelling twice at the same moment cancels once
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | cancels | Opera |
      | Boris | cancels | Opera |
    Then exactly 2 of them succeed
    And Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

  @money
  Scenario: Twelve payments over three instances of payments
    Given there are 3 instances of payments
    And Boris has reserved "Opera"
    When Boris pays for "Opera" 12 times at the same moment
    Then exactly 1 of them succeeds
    And Boris has paid 20.00 for "Opera", once
