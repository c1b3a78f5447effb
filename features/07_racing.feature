@race
Feature: Concurrent requests

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: Of fifty concurrent buyers, one gets the ticket
    When 50 buyers reserve "Opera" at the same moment
    Then exactly 1 of them has "Opera"
    And the others get the error "Ticket is already reserved"

  Scenario: Of two concurrent buyers at two instances of orders, one gets the ticket
    Given there are 2 instances of orders
    When at the same moment
      | Boris | reserves | Opera |
      | Clara | reserves | Opera |
    Then exactly 1 of them has "Opera"

  Scenario: A buyer cancels while two others reserve
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
      | Dora  | reserves | Opera |
    Then Boris's order for "Opera" is cancelled

  Scenario: The price changes while a buyer reserves
    When at the same moment
      | Anna  | reprices | Opera | 99.00 |
      | Boris | reserves | Opera |       |
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order for "Opera" is complete

  Scenario: A user is banned while reserving
    When at the same moment
      | Admin | bans     | Boris |
      | Boris | reserves | Opera |
    And Boris reserves "Opera"
    Then Boris gets the error "Not authorized"

  Scenario: A card is declined while the order is cancelled
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | pays with a declined card for | Opera |
      | Boris | cancels                       | Opera |
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00
    And Boris was never charged for "Opera"

  Scenario: Two concurrent edits both succeed
    When at the same moment
      | Anna | reprices | Opera | 30.00 |
      | Anna | reprices | Opera | 40.00 |
    Then exactly 2 of them succeed
    And "Opera" has version 2

  Scenario: Two concurrent cancellations cancel once
    Given Boris has reserved "Opera"
    When at the same moment
      | Boris | cancels | Opera |
      | Boris | cancels | Opera |
    Then exactly 2 of them succeed
    And Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

  @money
  Scenario: Twelve concurrent payments at three instances of payments charge once
    Given there are 3 instances of payments
    And Boris has reserved "Opera"
    When Boris pays for "Opera" 12 times at the same moment
    Then exactly 1 of them succeeds
    And Boris has paid 20.00 for "Opera" exactly once
