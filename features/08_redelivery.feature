@fault
Feature: Late, duplicate and reordered messages

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario Outline: <event> is delivered twice to <service>
    Given the next <event> to <service> is delivered twice
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once
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
  Scenario Outline: The acknowledgement of <event> by <service> is lost
    Given the acknowledgement of the next <event> at <service> is lost
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once
    And there are no dead letters

    Examples:
      | event          | service    |
      | OrderCreated   | payments   |
      | OrderCreated   | expiration |
      | ChargeCreated  | orders     |
      | ChargeUpdated  | orders     |
      | OrderCompleted | tickets    |
      | OrderCompleted | payments   |

  Scenario: TicketCreated is delivered twice
    Given the next TicketCreated to orders is delivered twice
    When Anna lists "Ballet" for 30.00
    And Boris reserves "Ballet"
    Then "Ballet" is reserved for Boris
    And the TicketCreated was delivered to orders 3 times

  Scenario: OrderCancelled is delivered twice
    Given Boris has reserved "Opera"
    And the next OrderCancelled to tickets is delivered twice
    When Boris cancels "Opera"
    And Clara reserves "Opera"
    Then "Opera" is reserved for Clara
    And there are no dead letters

  Scenario: OrderUpdated is delivered twice while a charge is pending
    Given Boris has reserved "Opera"
    And the provider is unreachable
    And the next OrderUpdated to payments is delivered twice
    When Boris pays for "Opera"
    And everything is reachable again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order for "Opera" is complete

  @short-ack-wait
  Scenario: A message is redelivered after its acknowledgement is lost
    Given the acknowledgement of the next OrderCreated at tickets is lost
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And the OrderCreated was delivered to tickets 2 times
    And there are no dead letters

  @short-ack-wait
  Scenario: A redelivered OrderCreated does not take the ticket back from the next buyer
    Given the acknowledgement of the next OrderCreated at tickets is lost
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
    Then "Opera" is reserved for Clara

  @short-ack-wait
  Scenario: A message is delayed past the ack wait
    Given the next OrderCreated to tickets is delayed past the ack wait
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And there are no dead letters

  @short-ack-wait
  Scenario: A message delayed past the ack wait is handled by another instance
    Given there are 2 instances of tickets
    And the next OrderCreated to tickets is delayed past the ack wait
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  Scenario: A payment arrives before OrderCreated
    Given the next OrderCreated to payments arrives 1 second late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | pays for | Opera |
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once

  Scenario: OrderCancelled overtakes OrderCreated on the way to tickets
    Given the next OrderCreated to tickets arrives 5 seconds late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
    Then "Opera" is for sale for 20.00

  Scenario: OrderCancelled overtakes OrderCreated on the way to payments
    Given the next OrderCreated to payments arrives 5 seconds late
    When one after the other, without a pause
      | Boris | reserves | Opera |
      | Boris | cancels  | Opera |
    And Boris pays for "Opera"
    Then Boris gets the error "Cannot pay for a cancelled order"

  Scenario: An old price does not overwrite a newer one
    Given the next TicketUpdated to orders arrives 5 seconds late
    When Anna changes the price of "Opera" to 21.00, 22.00 in quick succession
    And Boris reserves "Opera"
    Then Boris's order for "Opera" costs 22.00

  Scenario: A late OrderCancelled does not release the ticket of the next buyer
    Given Boris has reserved "Opera"
    And the next OrderCancelled to tickets arrives 5 seconds late
    When one after the other, without a pause
      | Boris | cancels  | Opera |
      | Clara | reserves | Opera |
    Then "Opera" is reserved for Clara

  Scenario: A payment succeeds while an event is still on its way
    Given Boris has reserved "Opera"
    And the next OrderCompleted to payments arrives 5 seconds late
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    Then Boris gets the error "Cannot cancel a completed order"
    And Boris has paid 20.00 for "Opera" exactly once

  @short-ack-wait
  Scenario: The connection breaks when a message arrives
    Given the connection of tickets breaks when the next OrderCreated arrives
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
