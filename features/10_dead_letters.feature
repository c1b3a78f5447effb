@fault
Feature: What cannot be handled is put aside

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: A message that nobody can read
    When a client outside publishes an OrderCreated that reads "gibberish"
    Then tickets has given up on 1 OrderCreated
    And payments has given up on 1 OrderCreated
    And expiration has given up on 1 OrderCreated
    And tickets is still running

  Scenario: The next message is handled all the same
    When a client outside publishes an OrderCreated that reads "gibberish"
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  Scenario: After ten deliveries a message is put aside, and can be sent again
    Given the next 10 writes of tickets to tickets fail
    When Boris reserves "Opera"
    Then tickets has given up on 1 OrderCreated
    And the OrderCreated was delivered to tickets 10 times
    When the dead letters are replayed
    Then "Opera" is reserved for Boris
