Feature: Reserving a ticket

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: A reservation holds the ticket for fifteen minutes
    When Boris reserves "Opera"
    Then Boris succeeds
    And "Opera" is reserved for Boris
    And "Opera" is not for sale
    And Boris's order of "Opera" is created
    And Boris's order of "Opera" costs 20.00
    And Boris's order of "Opera" can be paid for 15 minutes

  Scenario: Who comes second is told so
    Given Boris has reserved "Opera"
    When Clara reserves "Opera"
    Then Clara is told "Ticket is already reserved"
    And "Opera" is reserved for Boris

  Scenario: Reserving twice is being second
    Given Boris has reserved "Opera"
    When Boris reserves "Opera"
    Then Boris is told "Ticket is already reserved"
    And Boris has 1 order

  Scenario: Only who is signed in reserves
    When Somebody reserves "Opera"
    Then Somebody is told "Not authorized"

  Scenario: A ticket that does not exist
    When Boris sends POST "/api/orders"
      """
      {"ticketId": "65a000000000000000000001"}
      """
    Then Boris is told "Not Found"

  Scenario: A ticket that cannot exist
    When Boris sends POST "/api/orders"
      """
      {"ticketId": "opera"}
      """
    Then Boris is told that "ticketId" is not right

  Scenario: Orders are nobody else's business
    Given Boris has reserved "Opera"
    When Clara looks at Boris's order of "Opera"
    Then Clara is told "Not authorized"
    And Clara has 0 orders

  Scenario: Only who is signed in sees orders
    Given Boris has reserved "Opera"
    When Somebody looks at Boris's order of "Opera"
    Then Somebody is told "Not authorized"
    When Somebody sends GET "/api/orders"
    Then Somebody is told "Not authorized"

  Scenario: Only who is signed in cancels
    Given Boris has reserved "Opera"
    When Somebody cancels Boris's order of "Opera"
    Then Somebody is told "Not authorized"
    And "Opera" is reserved for Boris

  Scenario: All orders of a buyer are listed
    Given Anna has listed "Ballet" for 30.00
    And Boris has reserved "Opera"
    And Boris has reserved "Ballet"
    Then Boris has 2 orders

  Scenario: Reserving again after a cancel is a new order
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And Boris has 2 orders

  Scenario: The price that was shown is the price
    Given Anna has changed the price of "Opera" to 22.50
    When Boris reserves "Opera"
    Then Boris's order of "Opera" costs 22.50

  Scenario: A cancelled order lets the ticket go
    Given Boris has reserved "Opera"
    When Boris cancels "Opera"
    Then Boris succeeds
    And Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 20.00

  Scenario: Cancelling twice changes nothing
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Boris cancels "Opera"
    Then Boris succeeds
    And "Opera" is for sale for 20.00

  Scenario: Nobody cancels somebody else's order
    Given Boris has reserved "Opera"
    When Clara cancels Boris's order of "Opera"
    Then Clara is told "Not authorized"
    And "Opera" is reserved for Boris

  Scenario: A second cancel does not take the ticket from the next buyer
    Given Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    And Clara has reserved "Opera"
    When Boris cancels "Opera"
    Then "Opera" is reserved for Clara
    And Clara's order of "Opera" is created

  Scenario: A paid order cannot be cancelled
    Given Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When Boris cancels "Opera"
    Then Boris is told "Cannot cancel a completed order"
    And Boris's order of "Opera" is complete
