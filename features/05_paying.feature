@money
Feature: Paying

  Background:
    Given Anna has listed "Opera" for 19.99
    And Boris has reserved "Opera"

  Scenario: Who pays has the ticket
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order of "Opera" is complete
    And Boris has paid 19.99 for "Opera", once

  Scenario: Paying twice pays once
    Given Boris has paid for "Opera"
    When Boris pays for "Opera"
    Then Boris is told "Order is already paid"
    And Boris has paid 19.99 for "Opera", once

  Scenario: Twelve payments at the same moment pay once
    When Boris pays for "Opera" 12 times at the same moment
    Then exactly 1 of them succeeds
    And the others are told "Order is already paid"
    And Boris has paid 19.99 for "Opera", once

  Scenario: Nobody pays for somebody else
    When Clara pays for Boris's order of "Opera"
    Then Clara is told "Not authorized"
    And Boris was never charged for "Opera"

  Scenario: Only who is signed in pays
    When Somebody pays for Boris's order of "Opera"
    Then Somebody is told "Not authorized"
    And Boris was never charged for "Opera"

  Scenario: What is wrong with a payment is said field by field
    When Boris sends POST "/api/payments"
      """
      {"orderId": "opera"}
      """
    Then Boris is told that "orderId and token" is not right

  Scenario: Without a card there is no payment
    When Boris pays for "Opera" without a card
    Then Boris is told that "token" is not right

  Scenario: An order that does not exist
    When Boris sends POST "/api/payments"
      """
      {"orderId": "65a000000000000000000001", "token": "tok_visa"}
      """
    Then Boris is told "Not Found"

  Scenario: A cancelled order cannot be paid
    Given Boris has cancelled "Opera"
    When Boris pays for "Opera"
    Then Boris is told "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: A declined card ends the order and lets the ticket go
    When Boris pays for "Opera" with a card that is declined
    Then Boris is told "Payment declined"
    And Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 19.99
    And Boris was never charged for "Opera"

  Scenario: A declined card is not asked again
    When Boris pays for "Opera" with a card that is declined
    And Boris pays for "Opera"
    Then Boris is told "Cannot pay for a cancelled order"
    And Boris was never charged for "Opera"

  Scenario: After a declined card somebody else buys
    When Boris pays for "Opera" with a card that is declined
    And Clara reserves "Opera"
    And Clara pays for "Opera"
    Then Clara's order of "Opera" is complete
    And Clara has paid 19.99 for "Opera", once

  Scenario: The provider's answer is lost, and asking again does not charge twice
    Given the provider's next answer is lost
    When Boris pays for "Opera"
    Then Boris is told "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera", once

  Scenario: The provider is out of reach for a while
    Given the provider is out of reach
    When Boris pays for "Opera"
    Then Boris is told "Service unavailable, try again later"
    When everything is reachable again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera", once

  Scenario: Two answers in a row are lost
    Given the provider's next 2 answers are lost
    When Boris pays for "Opera"
    And Boris pays for "Opera"
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 19.99 for "Opera", once

  Scenario: While money is under way the order says so
    Given the provider is out of reach
    When Boris pays for "Opera"
    Then Boris's order of "Opera" is awaiting payment
    And "Opera" is reserved for Boris

  Scenario: An order may be cancelled while money is under way
    Given the provider is out of reach
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    Then Boris's order of "Opera" is cancelled
    And "Opera" is for sale for 19.99

  # Payments asks again by itself, after a wait that cannot be made short on real servers.
  @simulated-only
  Scenario: Money that moves after the order was cancelled comes back
    Given the provider's next answer is lost
    When Boris pays for "Opera"
    And Boris cancels "Opera"
    And 1 minute passes
    Then Boris's order of "Opera" is cancelled
    And Boris has been given back 19.99 for "Opera"

  Scenario: Paying and cancelling at the same moment loses nobody's money
    When at the same moment
      | Boris | pays for | Opera |
      | Boris | cancels  | Opera |
    Then either Boris has "Opera" for 19.99, or has lost nothing

  @short-ack-wait
  Scenario: Paid, then cancelled before orders has heard: the money comes back
    When orders's connection to the bus is cut
    And Boris pays for "Opera"
    Then Boris succeeds
    When Boris cancels "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then Boris's order of "Opera" is cancelled
    And Boris has been given back 19.99 for "Opera"
    And "Opera" is for sale for 19.99

  @short-ack-wait
  Scenario: The end of the time and a payment meet
    Given the next ChargeUpdated to orders is held past the ack wait
    When Boris pays for "Opera"
    And 15 minutes pass
    Then either Boris has "Opera" for 19.99, or has lost nothing

  @short-ack-wait
  Scenario: Payments crashes after the money has moved
    Given payments crashes right after it asks the provider
    When Boris pays for "Opera"
    Then Boris gets no answer
    When payments is started again
    And Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera", once
    And Boris's order of "Opera" is complete

  @short-ack-wait
  Scenario: Payments crashes before it asks the provider
    Given payments crashes right before it asks the provider
    When Boris pays for "Opera"
    Then Boris gets no answer
    When payments is started again
    And Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera", once

  # Nobody repeats the payment: payments itself asks again once the request has had its time,
  # which is a wait that cannot be made short on real servers.
  @simulated-only @short-ack-wait
  Scenario: A charge that nobody asks for again comes to its end by itself
    Given payments crashes right after it asks the provider
    When Boris pays for "Opera"
    And payments is started again
    And 1 minute passes
    Then Boris's order of "Opera" is complete
    And Boris has paid 19.99 for "Opera", once

  @short-ack-wait
  Scenario Outline: Payments crashes right <when> it says that the money has moved
    Given payments crashes right <when> publishing the next ChargeUpdated
    When Boris pays for "Opera"
    And payments is started again
    Then Boris's order of "Opera" is complete
    And Boris has paid 19.99 for "Opera", once

    Examples:
      | when   |
      | before |
      | after  |

  Scenario: The intent to charge is written, and the write reports failure
    Given the next write of payments to orders succeeds but reports failure
    When Boris pays for "Opera"
    Then Boris is told "Service unavailable, try again later"
    When Boris pays for "Opera"
    Then Boris has paid 19.99 for "Opera", once

  @short-ack-wait
  Scenario: The bus is unreachable while money moves
    Given the bus is unreachable
    When Boris pays for "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then Boris's order of "Opera" is complete
    And Boris has paid 19.99 for "Opera", once
