Feature: Reserving tickets

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: A reservation holds the ticket for fifteen minutes
    When Boris reserves "Opera"
    Then Boris succeeds
    And "Opera" is reserved for Boris
    And "Opera" is not for sale
    And Boris's order for "Opera" is created
    And Boris's order for "Opera" costs 20.00
    And Boris's order for "Opera" expires in 15 minutes

  Scenario: A second buyer is told that the ticket is reserved
    Given Boris has reserved "Opera"
    When Clara reserves "Opera"
    Then Clara gets the error "Ticket is already reserved"
    And "Opera" is reserved for Boris

  Scenario: A buyer cannot reserve the same ticket twice
    Given Boris has reserved "Opera"
    When Boris reserves "Opera"
    Then Boris gets the error "Ticket is already reserved"
    And Boris has 1 order

  # In a rehearsal the limit is eight.
  Scenario: A buyer cannot have more open orders than the limit
    Given Anna has listed 9 tickets, one after the other
    And Boris has reserved "Ticket 1" to "Ticket 8"
    When Boris reserves "Ticket 9"
    Then Boris gets the error "Too many open orders"
    When Boris pays for "Ticket 1"
    And Boris reserves "Ticket 9"
    Then Boris succeeds

  Scenario: Reserving requires a session
    When Visitor reserves "Opera"
    Then Visitor gets the error "Not authorized"

  Scenario: Reserving an unknown ticket is rejected
    When Boris sends POST "/api/orders":
      """
      {"ticketId": "65a000000000000000000001"}
      """
    Then Boris gets the error "Not Found"

  Scenario: Reserving with a malformed ticket id is rejected
    When Boris sends POST "/api/orders":
      """
      {"ticketId": "opera"}
      """
    Then Boris gets a validation error for "ticketId"

  Scenario: An order is visible to its buyer only
    Given Boris has reserved "Opera"
    When Clara views Boris's order for "Opera"
    Then Clara gets the error "Not authorized"
    And Clara has 0 orders

  Scenario: Viewing orders requires a session
    Given Boris has reserved "Opera"
    When Visitor views Boris's order for "Opera"
    Then Visitor gets the error "Not authorized"
    When Visitor sends GET "/api/orders"
    Then Visitor gets the error "Not authorized"

  Scenario: Cancelling requires a session
    Given Boris has reserved "Opera"
    When Visitor cancels Boris's order for "Opera"
    Then Visitor gets the error "Not authorized"
    And "Opera" is reserved for Boris

  Scenario: A buyer sees all of their orders
    Given Anna has listed "Ballet" for 30.00
    And Boris has reserved "Opera"
    And Boris has reserved "Ballet"
    Then Boris has 2 orders

  Scenario: Reserving again after a cancellation creates a new order
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And Boris has 2 orders

  Scenario: A buyer pays the listed price
    Given Anna has changed the price of "Opera" to 22.50
    When Boris reserves "Opera"
    Then Boris's order for "Opera" costs 22.50

  Scenario: Cancelling an order releases the ticket
    Given Boris has reserved "Opera"
    When Boris cancels "Opera"
    Then Boris succeeds
    And Boris's order for "Opera" is cancelled
    And "Opera" is for sale for 20.00

  Scenario: Cancelling an order twice changes nothing
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Boris cancels "Opera"
    Then Boris succeeds
    And "Opera" is for sale for 20.00

  Scenario: Only the buyer can cancel an order
    Given Boris has reserved "Opera"
    When Clara cancels Boris's order for "Opera"
    Then Clara gets the error "Not authorized"
    And "Opera" is reserved for Boris

  Scenario: Cancelling an order again does not release the ticket of the next buyer
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    And Clara has reserved "Opera"
    When Boris cancels "Opera"
    Then "Opera" is reserved for Clara
    And Clara's order for "Opera" is created

  Scenario: A paid order cannot be cancelled
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When Boris cancels "Opera"
    Then Boris gets the error "Cannot cancel a completed order"
    And Boris's order for "Opera" is complete
