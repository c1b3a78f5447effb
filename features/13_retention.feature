@time
Feature: Retention

  # Weeks as hours: events are renewed after 96 minutes, documents leave four hours after their end.
  Background:
    Given the setting session-lifetime is 2 days
    And the setting events-max-age is 2 hours
    And the setting documents-max-age is 4 hours
    And the setting dead-letters-max-age is 12 hours
    And Anna has listed "Opera" for 20.00

  # No scale of time makes hours short enough for real servers.
  @simulated-only
  Scenario: A service that lost its data sells what was listed before the stream begins
    When 3 hours pass
    And orders is stopped
    And orders loses its database and its consumers
    And orders is started again
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  @simulated-only
  Scenario: The price of a renewed listing is its newest one
    Given Anna has changed the price of "Opera" to 30.00
    When 3 hours pass
    And orders is stopped
    And orders loses its database and its consumers
    And orders is started again
    And Boris reserves "Opera"
    Then Boris's order for "Opera" costs 30.00

  @simulated-only
  Scenario: Renewed events of a sold ticket move no money
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When 3 hours pass
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once
    And there are no dead letters

  @simulated-only
  Scenario: A cancellation reaches payments that was away for longer than events stay
    Given Boris has reserved "Opera"
    And payments is stopped
    When Boris cancels "Opera"
    And 3 hours pass
    And payments is started again
    And Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"

  @simulated-only
  Scenario: A dead letter is removed at its age
    Given an external client publishes an OrderCreated with the payload "gibberish"
    When 13 hours pass
    Then there are no dead letters

  @simulated-only
  Scenario: A cancelled order leaves after its time and not before
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When 225 minutes pass
    Then Boris has 1 order
    When 30 minutes pass
    Then Boris has 0 orders
    When Boris views Boris's order for "Opera"
    Then the request is rejected with status 404

  @simulated-only
  Scenario: A paid order leaves with its ticket and its charge
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When 5 hours pass
    Then Boris has 0 orders
    When Boris pays for "Opera"
    Then the request is rejected with status 404
    When Clara reserves "Opera"
    Then the request is rejected with status 404
    And there are no dead letters

  @simulated-only
  Scenario: A ticket whose order has left is not sold again
    Given tickets is stopped
    When Boris reserves "Opera"
    And Boris pays for "Opera"
    And 1 hour passes
    And tickets is started again
    And 210 minutes pass
    Then Boris has 0 orders
    When Clara reserves "Opera"
    Then Clara gets the error "Ticket is already reserved"

  @simulated-only
  Scenario: An order is newer than those of the same ticket that have left
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When 5 hours pass
    And Clara reserves "Opera"
    Then "Opera" is reserved for Clara
    When Clara cancels "Opera"
    Then "Opera" is for sale for 20.00

  @simulated-only
  Scenario: A service that lost its data learns what it needs of orders that have left
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When 5 hours pass
    And orders is stopped
    And orders loses its database and its consumers
    And orders is started again
    And Clara reserves "Opera"
    Then "Opera" is reserved for Clara

  @simulated-only
  Scenario: A late OrderCreated does not bring back an order that has left
    Given the next 10 acknowledgements of OrderCreated at payments are lost
    When Boris reserves "Opera"
    And Boris cancels "Opera"
    And 5 hours pass
    And the dead letters of payments are replayed
    And Boris pays for "Opera"
    Then the request is rejected with status 404
    And payments has dead-lettered 1 OrderCreated

  @simulated-only
  Scenario: A late TicketCreated does not bring back a ticket that has left
    Given the next 10 acknowledgements of TicketCreated at orders are lost
    When Anna lists "Ballet" for 30.00
    And Boris reserves "Ballet"
    And Boris pays for "Ballet"
    And 5 hours pass
    And the dead letters of orders are replayed
    And Clara reserves "Ballet"
    Then the request is rejected with status 404
    And orders has dead-lettered 1 TicketCreated

  @simulated-only
  Scenario: A document whose event is not published stays until it is
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    And the bus is unreachable
    When 5 hours pass
    Then Boris has 1 order
    When everything is reachable again
    And 2 minutes pass
    Then Boris has 0 orders

  @simulated-only
  Scenario: A charge whose refund is refused stays for an operator
    Given Boris has reserved "Opera"
    When the connection of orders to the bus is cut
    And Boris pays for "Opera"
    And Boris cancels "Opera"
    Given the provider refuses its next refund for good because of a dispute
    When everything is reachable again
    And 5 hours pass
    Then Boris has 0 orders
    And payments shows that Boris cannot be refunded for "Opera": charge_disputed
