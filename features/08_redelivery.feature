@fault
Feature: Messages come late, twice, or out of order

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario Outline: <event> comes twice to <service>
    Given the next <event> to <service> is delivered twice
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    Then Boris's order of "Opera" is complete
    And Boris has paid 20.00 for "Opera", once
    And there are no dead letters

    Examples:
      | event          | service    |
      | OrderCreated   | tickets    |
      | OrderCreated   | payments   |
      | OrderCreated   | expiration |
      | ChargeCreated  | orders     |
      | ChargeUpdated  | orders     |
      | OrderCompleted | tickets    |
      | OrderCompleted | payments   |
      | OrderCompleted | expiration |

  @short-ack-wait
  Scenario Outline: The acknowledgement of <event> by <service> is lost on the way
    Given the acknowledgement of the next <event> at <service> is lost
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    Then Boris's order of "Opera" is complete
    And Boris has paid 20.00 for "Opera", once
    And there are no dead letters

    Examples:
      | event          | service    |
      | OrderCreated   | payments   |
      | OrderCreated   | expiration |
      | ChargeCreated  | orders     |
      | ChargeUpdated  | orders     |
      | OrderCompleted | tickets    |
      | OrderCompleted | payments   |

  Scenario: A new ticket is made known twice
    Given the next TicketCreated to orders is delivered twice
    When Anna lists "Ballet" for 30.00
    And Boris reserves "Ballet"
    Then "Ballet" is reserved for Boris
    And the TicketCreated was delivered to orders 3 times

  Scenario: A release is heard twice
    Given Boris has reserved "Opera"
    And the next OrderCancelled to tickets is delivered twice
    When Boris cancels "Opera"
    And Clara reserves "Opera"
    Then "Opera" is reserved for Clara
    And there are no dead letters

  Scenario: That money is under way is heard twice
    Given Boris has reserved "Opera"
    And the provider is out of reach
    And the next OrderUpdated to payments is delivered twice
    When Boris pays for "Opera"
    And everything is reachable again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order of "Opera" is complete

  @short-ack-wait
  Scenario: An acknowledgement is lost
    Given the acknowledgement of the next OrderCreated at tickets is lost
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And the OrderCreated was delivered to tickets 2 times
    And there are no dead letters

  @short-ack-wait
  Scenario: An acknowledgement is lost, and the ticket changes hands meanwhile
    Given the acknowledgement of the next OrderCreated at tickets is lost
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
    Then "Opera" is reserved for Clara

  @short-ack-wait
  Scenario: A message is held past the ack wait
    Given the next OrderCreated to tickets is held past the ack wait
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And there are no dead letters

  @short-ack-wait
  Scenario: A message is held past the ack wait, and another instance handles it
    Given there are 2 instances of tickets
    And the next OrderCreated to tickets is held past the ack wait
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  # The news of an order is on its way while its buyer pays already.
  Scenario: The buyer is faster than the news
    Given the next OrderCreated to payments arrives 1 seconds late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | pays for | Opera |
    Then Boris's order of "Opera" is complete
    And Boris has paid 20.00 for "Opera", once

  Scenario: Cancelled comes before created
    Given the next OrderCreated to tickets arrives 5 seconds late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
    Then "Opera" is for sale for 20.00

  Scenario: Cancelled comes before created at payments
    Given the next OrderCreated to payments arrives 5 seconds late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
    And Boris pays for "Opera"
    Then Boris is told "Cannot pay for a cancelled order"

  Scenario: An old price comes after a newer one
    Given the next TicketUpdated to orders arrives 5 seconds late
    When Anna changes the price of "Opera" without a pause to 21.00, 22.00
    And Boris reserves "Opera"
    Then Boris's order of "Opera" costs 22.00

  Scenario: The late release of an old order does not free the next buyer's ticket
    Given Boris has reserved "Opera"
    And the next OrderCancelled to tickets arrives 5 seconds late
    When one after the other, without a pause
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
    Then "Opera" is reserved for Clara

  Scenario: A payment goes through although a copy has missed a version
    Given Boris has reserved "Opera"
    And the next OrderCompleted to payments arrives 5 seconds late
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    Then Boris is told "Cannot cancel a completed order"
    And Boris has paid 20.00 for "Opera", once

  @short-ack-wait
  Scenario: The connection breaks as a message arrives
    Given the connection of tickets breaks when the next OrderCreated arrives
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
