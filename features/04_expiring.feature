@time
Feature: A reservation runs out after fifteen minutes

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: Unpaid, the ticket is lost
    Given Boris has reserved "Opera"
    When 15 minutes pass
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

  Scenario: Until then it is held
    Given Boris has reserved "Opera"
    When 14 minutes pass
    Then Boris's order of "Opera" is created
    And "Opera" is reserved for Boris

  Scenario: Paid, it is kept for good
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When 15 minutes pass
    Then Boris's order of "Opera" is complete
    And "Opera" is reserved for Boris

  Scenario: Too late to pay
    Given Boris has reserved "Opera"
    When 15 minutes pass
    And Boris pays for "Opera"
    Then Boris is told "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: The next buyer has fifteen minutes of their own
    Given Boris has reserved "Opera"
    When 15 minutes pass
    And Clara reserves "Opera"
    And 14 minutes pass
    Then "Opera" is reserved for Clara

  Scenario: A cancelled order's time does not take the ticket from the next buyer
    Given Boris has reserved "Opera"
    When 5 minutes pass
    And Boris cancels "Opera"
    And Clara reserves "Opera"
    And 12 minutes pass
    Then "Opera" is reserved for Clara

  @short-ack-wait
  Scenario: Time goes on while expiration is down
    Given Boris has reserved "Opera"
    And expiration is stopped
    When 15 minutes pass
    And expiration is started again
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

  @short-ack-wait
  Scenario: A timer outlives a restart
    Given Boris has reserved "Opera"
    When expiration is stopped and started again
    And 15 minutes pass
    Then "Opera" is for sale for 20.00

  Scenario: That time is up may be said twice
    Given Boris has reserved "Opera"
    And the next OrderExpired to orders is delivered twice
    When 15 minutes pass
    Then "Opera" is for sale for 20.00
    And there are no dead letters

  # Fifteen minutes last three seconds on real servers: Clara's would run out while the
  # connection recovers.
  @simulated-only @short-ack-wait
  Scenario: News that time was up comes when the next buyer has the ticket
    Given Boris has reserved "Opera"
    When orders's connection to the bus is cut
    And 15 minutes pass
    And Boris cancels "Opera"
    And Clara reserves "Opera"
    And everything is reachable again
    Then "Opera" is reserved for Clara
    And Clara's order of "Opera" is created

  @short-ack-wait
  Scenario Outline: Expiration crashes right <when> it notes when time is up
    Given expiration crashes right <when> its next write to timers
    When Boris reserves "Opera"
    And expiration is started again
    And 15 minutes pass
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

    Examples:
      | when   |
      | before |
      | after  |

  @short-ack-wait
  Scenario Outline: Expiration crashes right <when> it says that time is up
    Given Boris has reserved "Opera"
    And expiration crashes right <when> publishing the next OrderExpired
    When 15 minutes pass
    And expiration is started again
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

    Examples:
      | when   |
      | before |
      | after  |

  Scenario: Two instances of expiration end an order once
    Given there are 2 instances of expiration
    And Boris has reserved "Opera"
    When 15 minutes pass
    Then "Opera" is for sale for 20.00
    And there are no dead letters
