Feature: Listing and editing tickets

  Scenario: A listed ticket is for sale
    When Anna lists "Opera" for 20.00
    Then Anna succeeds
    And "Opera" is for sale for 20.00
    And "Opera" has version 0

  Scenario: Prices keep their cents
    When Anna lists "Opera" for 19.99
    Then "Opera" is for sale for 19.99

  Scenario: A price may be sent as a string
    When Anna lists "Opera" for "20.00"
    Then "Opera" is for sale for 20.00

  Scenario: Listing a ticket requires a session
    When Visitor lists "Opera" for 20.00
    Then Visitor gets the error "Not authorized"

  Scenario Outline: A rejected listing names every invalid field
    When Anna lists "<title>" for <price>
    Then Anna gets a validation error for "<fields>"

    Examples:
      | title | price  | fields          |
      |       | 20     | title           |
      | Opera | 0      | price           |
      | Opera | -5     | price           |
      | Opera | 10.005 | price           |
      | Opera | free   | price           |
      | Opera | true   | price           |
      | Opera | 1e300  | price           |
      | Opera | 0.49   | price           |
      | Opera | 1000000 | price          |
      |       | -1     | title and price |

  Scenario Outline: The lowest and the highest price that the provider takes can be paid
    Given Anna has listed "Opera" for <price>
    And Boris has reserved "Opera"
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid <price> for "Opera" exactly once

    Examples:
      | price     |
      | 0.50      |
      | 999999.99 |

  Scenario: A price that the provider does not take is rejected in an edit
    Given Anna has listed "Opera" for 20.00
    When Anna changes the price of "Opera" to 0.30
    Then Anna gets a validation error for "price"
    And "Opera" is for sale for 20.00

  Scenario Outline: A title that controls how it is shown is rejected
    When Anna sends POST "/api/tickets":
      """
      {"title": "<title>", "price": 20}
      """
    Then Anna gets a validation error for "title"
    And no ticket is for sale

    Examples:
      | title           |
      | \\u0000         |
      | \\u200b         |
      | \\u202earepO    |
      | \\u001b[31mOpera |
      | Ope\\nra        |

  Scenario: A listing without a price is rejected
    When Anna lists "Opera" without a price
    Then Anna gets a validation error for "price"

  Scenario: Tickets for sale are paged, newest first
    Given Anna has listed 5 tickets, one after the other
    When Boris browses the newest 2 tickets for sale
    Then Boris sees "Ticket 5", "Ticket 4"
    When Boris browses the next 2
    Then Boris sees "Ticket 3", "Ticket 2"
    When Boris browses the next 2
    Then Boris sees "Ticket 1"

  # Listing so many takes long on real servers.
  @simulated-only
  Scenario: A page has 100 tickets where the client asks for no number
    Given Anna has listed 103 tickets, one after the other
    When Boris sends GET "/api/tickets"
    Then Boris succeeds

  Scenario: The seller edits a ticket
    Given Anna has listed "Opera" for 20.00
    When Anna changes "Opera" to "Opera, first row" for 35.50
    Then Anna succeeds
    And "Opera" is for sale for 35.50
    And "Opera" has version 1

  Scenario: Only the seller can edit a ticket
    Given Anna has listed "Opera" for 20.00
    When Boris changes the price of "Opera" to 1.00
    Then Boris gets the error "Not authorized"
    And "Opera" is for sale for 20.00

  Scenario: Editing a ticket requires a session
    Given Anna has listed "Opera" for 20.00
    When Visitor changes the price of "Opera" to 1.00
    Then Visitor gets the error "Not authorized"

  Scenario: Editing an unknown ticket is rejected
    When Anna sends PUT "/api/tickets/65a000000000000000000001":
      """
      {"title": "Opera", "price": 20}
      """
    Then Anna gets the error "Not Found"

  Scenario: Edits are validated like a listing
    Given Anna has listed "Opera" for 20.00
    When Anna changes "Opera" to "" for -1
    Then Anna gets a validation error for "title and price"

  Scenario: A reserved ticket cannot be edited
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    When Anna changes the price of "Opera" to 90.00
    Then Anna gets the error "Cannot edit a reserved ticket"
    And Boris's order for "Opera" costs 20.00

  Scenario: A sold ticket cannot be edited
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When Anna changes the price of "Opera" to 90.00
    Then Anna gets the error "Cannot edit a reserved ticket"
    And "Opera" is not for sale

  Scenario: A ticket can be edited again after its order is cancelled
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Anna changes the price of "Opera" to 25.00
    Then Anna succeeds
    And "Opera" is for sale for 25.00

  Scenario: After a burst of price changes the last price counts
    Given Anna has listed "Opera" for 20.00
    When Anna changes the price of "Opera" to 21.00, 22.00, 23.00, 24.00, 25.00 in quick succession
    And Boris reserves "Opera"
    Then Boris's order for "Opera" costs 25.00
