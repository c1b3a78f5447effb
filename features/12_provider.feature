@money
Feature: The payment provider as it is documented

  Background:
    Given Anna has listed "Opera" for 19.99
    And Boris has reserved "Opera"

  Scenario Outline: A request that the provider did not take is repeated under its key
    Given the provider <misbehaves>
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

    Examples:
      | misbehaves                        |
      | answers its next request with 503 |
      | answers its next request with 429 |

  Scenario: A response that the provider loses is asked for under the same key
    Given the provider carries out its next request and loses the response
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario Outline: A kept error blocks no payment and charges nobody twice
    Given the provider <misbehaves>
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once
    And Boris's order for "Opera" is complete

    Examples:
      | misbehaves                                                                 |
      | answers its next charge or refund with a 500 that it keeps                 |
      | carries out its next charge or refund and answers with a 500 that it keeps |

  # Requests under the key conflict with the first one, which lasts longer than payments waits.
  @simulated-only
  Scenario: A payment is made once although its request is in progress for a while
    Given the provider takes 50 seconds for its next charge or refund
    When Boris pays for "Opera" 3 times at the same moment
    And 2 minutes pass
    Then Boris's order for "Opera" is complete
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: A pending charge completes the order only after it has succeeded
    Given the provider leaves its next charge pending for 2 hours
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    And Boris's order for "Opera" is awaiting payment
    And Boris was never charged for "Opera"
    When the provider ends what is pending
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: A pending charge that fails cancels the order and releases the ticket
    Given the provider lets its next charge fail after 2 hours
    When Boris pays for "Opera"
    And the provider ends what is pending
    And Boris pays for "Opera"
    Then Boris gets the error "Payment declined"
    And Boris's order for "Opera" is cancelled
    And Boris was never charged for "Opera"
    And "Opera" is for sale for 19.99

  # Payments asks for what is pending after a wait that cannot be shortened on real servers.
  @simulated-only
  Scenario: A pending charge that succeeds after its order has expired is refunded
    Given the provider leaves its next charge pending for 5 hours
    When Boris pays for "Opera"
    And 4 hours pass
    Then "Opera" is for sale for 19.99
    And Boris was never charged for "Opera"
    When 2 hours pass
    Then Boris has been refunded 19.99 for "Opera"

  @short-ack-wait
  Scenario Outline: A refund is made although the provider <misbehaves>
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    And Boris cancels "Opera"
    Given the provider <misbehaves>
    When everything is reachable again
    Then Boris's order for "Opera" is cancelled
    And Boris has been refunded 19.99 for "Opera"

    Examples:
      | misbehaves                                                                 |
      | answers its next charge or refund with a 500 that it keeps                 |
      | carries out its next charge or refund and answers with a 500 that it keeps |
      | has refunded by hand before its next refund                                |

  @short-ack-wait
  Scenario: A refund that is refused because of a dispute ends and is shown to an operator
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    And Boris cancels "Opera"
    Given the provider refuses its next refund for good because of a dispute
    When everything is reachable again
    Then Boris's order for "Opera" is cancelled
    And payments shows that Boris cannot be refunded for "Opera": charge_disputed

  # Payments asks for what is pending after a wait that cannot be shortened on real servers.
  @simulated-only
  Scenario: A pending refund counts only after it has succeeded
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    And Boris cancels "Opera"
    Given the provider leaves its next refund pending for 5 hours
    When everything is reachable again
    And 4 hours pass
    Then Boris has paid 19.99 for "Opera" exactly once
    When 2 hours pass
    Then Boris has been refunded 19.99 for "Opera"

  @simulated-only
  Scenario: A refund that fails later is shown to an operator
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    And Boris cancels "Opera"
    Given the provider lets its next refund fail after 5 hours
    When everything is reachable again
    And 6 hours pass
    Then payments shows that Boris cannot be refunded for "Opera": expired_or_canceled_card

  # Days pass.
  @simulated-only
  Scenario: A charge whose response was lost is found after its key is forgotten
    Given the provider carries out its next request and loses the response
    When Boris pays for "Opera"
    Given the provider is down for 25 hours
    When 26 hours pass
    Then "Opera" is for sale for 19.99
    And Boris has been refunded 19.99 for "Opera"

  @simulated-only
  Scenario: A charge that was never made is not made for an order that was cancelled meanwhile
    Given the provider is down for 25 hours
    When Boris pays for "Opera"
    And 26 hours pass
    Then "Opera" is for sale for 19.99
    And Boris was never charged for "Opera"
