@fault
Feature: What cannot be handled is put aside

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: A message that nobody can read
    When an outsider publishes an OrderCreated that reads "gibberish"
    Then tickets has put aside 1 OrderCreated as a dead letter
    And payments has put aside 1 OrderCreated as a dead letter
    And expiration has put aside 1 OrderCreated as a dead letter
    And tickets is still running

  Scenario: The next message is handled all the same
    When an outsider publishes an OrderCreated that reads "gibberish"
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  Scenario: After ten deliveries a message is put aside, and can be sent again
    Given the next 10 writes of tickets to tickets fail
    When Boris reserves "Opera"
    Then tickets has put aside 1 OrderCreated as a dead letter
    And tickets was handed the OrderCreated 10 times
    When the dead letters are sent again
    Then "Opera" is reserved for Boris
