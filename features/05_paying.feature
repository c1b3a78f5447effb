@money
Feature: Payments

  Background:
    Given Anna has listed "Opera" for 19.99
    And Boris has reserved "Opera"

  Scenario: Payment completes the order
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order for "Opera" is complete
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: Paying twice charges once
    Given Boris has paid for "Opera"
    When Boris pays for "Opera"
    Then Boris gets the error "Order is already paid"
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: Twelve concurrent payments charge once
    When Boris pays for "Opera" 12 times at the same moment
    Then exactly 1 of them succeeds
    And the others get the error "Order is already paid"
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: Only the buyer can pay for an order
    When Clara pays for Boris's order for "Opera"
    Then Clara gets the error "Not authorized"
    And Boris was never charged for "Opera"

  Scenario: Paying requires a session
    When Visitor pays for Boris's order for "Opera"
    Then Visitor gets the error "Not authorized"
    And Boris was never charged for "Opera"

  Scenario: A rejected payment lists every invalid field
    When Boris sends POST "/api/payments":
      """
      {"orderId": "opera"}
      """
    Then Boris gets a validation error for "orderId and token"

  Scenario: A payment without a card is rejected
    When Boris pays for "Opera" without a card
    Then Boris gets a validation error for "token"

  Scenario: Paying for an unknown order is rejected
    When Boris sends POST "/api/payments":
      """
      {"orderId": "65a000000000000000000001", "token": "tok_visa"}
      """
    Then Boris gets the error "Not Found"

  Scenario: A cancelled order cannot be paid
    Given Boris has cancelled "Opera"
    When Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: A declined card cancels the order and releases the ticket
    When Boris pays for "Opera" with a declined card
    Then Boris gets the error "Payment declined"
    And Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 19.99
    And Boris was never charged for "Opera"

  Scenario: An order with a declined card cannot be paid again
    When Boris pays for "Opera" with a declined card
    And Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: Another buyer gets the ticket after a declined card
    When Boris pays for "Opera" with a declined card
    And Clara reserves "Opera"
    And Clara pays for "Opera"
    Then Clara's order for "Opera" is complete
    And Clara has paid 19.99 for "Opera" exactly once

  Scenario: A retry after a lost provider response does not charge twice
    Given the provider's next response is lost
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: A payment succeeds once the provider is reachable again
    Given the provider is unreachable
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: A payment succeeds after two lost provider responses
    Given the provider's next 2 responses are lost
    When Boris pays for "Opera"
    And Boris pays for "Opera"
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera" exactly once

  Scenario: An order awaits payment while its charge is pending
    Given the provider is unreachable
    When Boris pays for "Opera"
    Then Boris's order for "Opera" is awaiting payment
    And "Opera" is reserved for Boris

  Scenario: An order can be cancelled while its charge is pending
    Given the provider is unreachable
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    Then Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 19.99

  # Payments retries the charge after a wait that cannot be shortened on real servers.
  @simulated-only
  Scenario: A charge that succeeds after the cancellation is refunded
    Given the provider's next response is lost
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    And 1 minute passes
    Then Boris's order for "Opera" is cancelled
    And Boris has been refunded 19.99 for "Opera"

  Scenario: A concurrent payment and cancellation leave no charge without a ticket
    When at the same moment
      | Boris | pays for | Opera |
      | Boris | cancels  | Opera |
    Then Boris either has "Opera" for 19.99 or keeps the money

  @short-ack-wait
  Scenario: A payment is refunded if the order is cancelled before orders receives it
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    Then Boris succeeds
    When Boris cancels "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then Boris's order for "Opera" is cancelled
    And Boris has been refunded 19.99 for "Opera"
    And "Opera" is for sale for 19.99

  @short-ack-wait
  Scenario: A reservation expires while its payment is in transit
    Given the next ChargeUpdated to orders is delayed past the ack wait
    When Boris pays for "Opera"
    And 15 minutes pass
    Then Boris either has "Opera" for 19.99 or keeps the money

  @short-ack-wait
  Scenario: Payments crashes after the provider has charged
    Given payments crashes right after its next request to the provider
    When Boris pays for "Opera"
    Then Boris gets no reply
    When payments is started again
    And Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera" exactly once
    And Boris's order for "Opera" is complete

  @short-ack-wait
  Scenario: Payments crashes before it calls the provider
    Given payments crashes right before its next request to the provider
    When Boris pays for "Opera"
    Then Boris gets no reply
    When payments is started again
    And Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera" exactly once

  # The buyer does not retry. Payments retries the charge once the request has timed out, and
  # that wait cannot be shortened on real servers.
  @simulated-only @short-ack-wait
  Scenario: Payments completes a pending charge without a retry by the buyer
    Given payments crashes right after its next request to the provider
    When Boris pays for "Opera"
    And payments is started again
    And 1 minute passes
    Then Boris's order for "Opera" is complete
    And Boris has paid 19.99 for "Opera" exactly once

  @short-ack-wait
  Scenario Outline: Payments crashes right <when> it publishes ChargeUpdated
    Given payments crashes right <when> publishing the next ChargeUpdated
    When Boris pays for "Opera"
    And payments is started again
    Then Boris's order for "Opera" is complete
    And Boris has paid 19.99 for "Opera" exactly once

    Examples:
      | when   |
      | before |
      | after  |

  Scenario: A payment succeeds after an ambiguous write of the charge intent
    Given the next write of payments to orders succeeds but reports failure
    When Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera" exactly once

  @short-ack-wait
  Scenario: A payment succeeds while the bus is unreachable
    Given the bus is unreachable
    When Boris pays for "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then Boris's order for "Opera" is complete
    And Boris has paid 19.99 for "Opera" exactly once
