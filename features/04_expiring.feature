@time
Feature: Expiring reservations

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: An unpaid reservation expires
    Given Boris has reserved "Opera"
    When 15 minutes pass
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

  Scenario: The ticket stays reserved until the reservation expires
    Given Boris has reserved "Opera"
    When 14 minutes pass
    Then Boris's order for "Opera" is created
    And "Opera" is reserved for Boris

  Scenario: A paid order does not expire
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When 15 minutes pass
    Then Boris's order for "Opera" is complete
    And "Opera" is reserved for Boris

  Scenario: An expired order cannot be paid
    Given Boris has reserved "Opera"
    When 15 minutes pass
    And Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: The next buyer gets a full fifteen minutes
    Given Boris has reserved "Opera"
    When 15 minutes pass
    And Clara reserves "Opera"
    And 14 minutes pass
    Then "Opera" is reserved for Clara

  Scenario: The timer of a cancelled order does not release the ticket of the next buyer
    Given Boris has reserved "Opera"
    When 5 minutes pass
    And Boris cancels "Opera"
    And Clara reserves "Opera"
    And 12 minutes pass
    Then "Opera" is reserved for Clara

  @short-ack-wait
  Scenario: A reservation that expires while expiration is down is cancelled after the restart
    Given Boris has reserved "Opera"
    And expiration is stopped
    When 15 minutes pass
    And expiration is started again
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

  @short-ack-wait
  Scenario: A timer survives a restart of expiration
    Given Boris has reserved "Opera"
    When expiration is stopped and started again
    And 15 minutes pass
    Then "Opera" is for sale for 20.00

  Scenario: A duplicate OrderExpired changes nothing
    Given Boris has reserved "Opera"
    And the next OrderExpired to orders is delivered twice
    When 15 minutes pass
    Then "Opera" is for sale for 20.00
    And there are no dead letters

  # On real servers fifteen minutes are scaled to three seconds, so Clara's reservation would
  # expire while the connection recovers.
  @simulated-only @short-ack-wait
  Scenario: A late OrderExpired does not release the ticket of the next buyer
    Given Boris has reserved "Opera"
    When the connection of orders to the bus is cut
    And 15 minutes pass
    And Boris cancels "Opera"
    And Clara reserves "Opera"
    And everything is reachable again
    Then "Opera" is reserved for Clara
    And Clara's order for "Opera" is created

  @short-ack-wait
  Scenario Outline: Expiration crashes right <when> it writes a timer
    Given expiration crashes right <when> its next write to timers
    When Boris reserves "Opera"
    And expiration is started again
    And 15 minutes pass
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

    Examples:
      | when   |
      | before |
      | after  |

  @short-ack-wait
  Scenario Outline: Expiration crashes right <when> it publishes OrderExpired
    Given Boris has reserved "Opera"
    And expiration crashes right <when> publishing the next OrderExpired
    When 15 minutes pass
    And expiration is started again
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

    Examples:
      | when   |
      | before |
      | after  |

  Scenario: Two instances of expiration expire an order once
    Given there are 2 instances of expiration
    And Boris has reserved "Opera"
    When 15 minutes pass
    Then "Opera" is for sale for 20.00
    And there are no dead letters
