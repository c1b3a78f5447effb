@time
Feature: Retention

  Background:
    Given the setting session-lifetime is 200 days
    And Anna has listed "Opera" for 20.00

  # No scale of time makes weeks short enough for real servers.
  @simulated-only
  Scenario: A service that lost its data sells what was listed before the stream begins
    When 45 days pass
    And orders is stopped
    And orders loses its database and its consumers
    And orders is started again
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  @simulated-only
  Scenario: The price of a renewed listing is its newest one
    Given Anna has changed the price of "Opera" to 30.00
    When 45 days pass
    And orders is stopped
    And orders loses its database and its consumers
    And orders is started again
    And Boris reserves "Opera"
    Then Boris's order for "Opera" costs 30.00

  @simulated-only
  Scenario: Renewed events of a sold ticket move no money
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When 45 days pass
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once
    And there are no dead letters

  @simulated-only
  Scenario: A cancellation reaches payments that was away for longer than events stay
    Given Boris has reserved "Opera"
    And payments is stopped
    When Boris cancels "Opera"
    And 45 days pass
    And payments is started again
    And Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"

  @simulated-only
  Scenario: A dead letter is removed after three months
    Given an external client publishes an OrderCreated with the payload "gibberish"
    When 91 days pass
    Then there are no dead letters
