Feature: Listing and editing tickets

  Scenario: A ticket that is listed is for sale
    When Anna lists "Opera" for 20.00
    Then Anna succeeds
    And "Opera" is for sale for 20.00
    And "Opera" is in version 0

  Scenario: Cents are kept to the cent
    When Anna lists "Opera" for 19.99
    Then "Opera" is for sale for 19.99

  Scenario: A price may come as a text
    When Anna lists "Opera" for "20.00"
    Then "Opera" is for sale for 20.00

  Scenario: Only who is signed in lists
    When Somebody lists "Opera" for 20.00
    Then Somebody is told "Not authorized"

  Scenario Outline: What is wrong with a listing is said field by field
    When Anna lists "<title>" for <price>
    Then Anna is told that "<fields>" is not right

    Examples:
      | title | price  | fields          |
      |       | 20     | title           |
      | Opera | 0      | price           |
      | Opera | -5     | price           |
      | Opera | 10.005 | price           |
      | Opera | free   | price           |
      | Opera | true   | price           |
      | Opera | 1e300  | price           |
      |       | -1     | title and price |

  Scenario: A listing without a price
    When Anna lists "Opera" without a price
    Then Anna is told that "price" is not right

  Scenario: The newest come first, a page at a time
    Given Anna has listed 5 tickets, one after the other
    When Boris looks at the newest 2 tickets for sale
    Then Boris sees "Ticket 5", "Ticket 4"
    When Boris looks at the next 2
    Then Boris sees "Ticket 3", "Ticket 2"
    When Boris looks at the next 2
    Then Boris sees "Ticket 1"

  Scenario: The seller changes a ticket
    Given Anna has listed "Opera" for 20.00
    When Anna changes "Opera" to "Opera, first row" for 35.50
    Then Anna succeeds
    And "Opera" is for sale for 35.50
    And "Opera" is in version 1

  Scenario: Nobody changes somebody else's ticket
    Given Anna has listed "Opera" for 20.00
    When Boris changes the price of "Opera" to 1.00
    Then Boris is told "Not authorized"
    And "Opera" is for sale for 20.00

  Scenario: Only who is signed in changes a ticket
    Given Anna has listed "Opera" for 20.00
    When Somebody changes the price of "Opera" to 1.00
    Then Somebody is told "Not authorized"

  Scenario: A ticket that does not exist cannot be changed
    When Anna sends PUT "/api/tickets/65a000000000000000000001"
      """
      {"title": "Opera", "price": 20}
      """
    Then Anna is told "Not Found"

  Scenario: A change is checked like a listing
    Given Anna has listed "Opera" for 20.00
    When Anna changes "Opera" to "" for -1
    Then Anna is told that "title and price" is not right

  Scenario: A reserved ticket cannot be changed
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    When Anna changes the price of "Opera" to 90.00
    Then Anna is told "Cannot edit a reserved ticket"
    And Boris's order of "Opera" costs 20.00

  Scenario: A sold ticket cannot be changed
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    When Anna changes the price of "Opera" to 90.00
    Then Anna is told "Cannot edit a reserved ticket"
    And "Opera" is not for sale

  Scenario: A ticket that was let go can be changed again
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"
    And Boris has cancelled "Opera"
    When Anna changes the price of "Opera" to 25.00
    Then Anna succeeds
    And "Opera" is for sale for 25.00

  Scenario: A burst of changes ends on the last price
    Given Anna has listed "Opera" for 20.00
    When Anna changes the price of "Opera" without a pause to 21.00, 22.00, 23.00, 24.00, 25.00
    And Boris reserves "Opera"
    Then Boris's order of "Opera" costs 25.00
