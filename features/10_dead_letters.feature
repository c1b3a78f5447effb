@fault
Feature: Dead letters

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario: A malformed message is dead-lettered
    When an external client publishes an OrderCreated with the payload "gibberish"
    Then tickets has dead-lettered 1 OrderCreated
    And payments has dead-lettered 1 OrderCreated
    And expiration has dead-lettered 1 OrderCreated
    And tickets is still running

  Scenario: A malformed message does not block the next one
    When an external client publishes an OrderCreated with the payload "gibberish"
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  Scenario: A replay that fails again leaves one letter of each consumer
    Given an external client publishes an OrderCreated with the payload "gibberish"
    When the dead letters are replayed
    And the dead letters are replayed
    Then tickets has dead-lettered 1 OrderCreated
    And payments has dead-lettered 1 OrderCreated
    And expiration has dead-lettered 1 OrderCreated
    And the OrderCreated was delivered to tickets 7 times

  Scenario: A store that is away never makes a dead letter
    Given the next 14 writes of tickets to tickets fail
    When Boris reserves "Opera"
    Then the OrderCreated was delivered to tickets 10 times
    And there are no dead letters
    And "Opera" is reserved for Boris

  # Ten ack waits take longer than a step may on real servers.
  @simulated-only
  Scenario: A message is dead-lettered after ten deliveries and can be replayed
    Given the next 10 acknowledgements of OrderCreated at tickets are lost
    When Boris reserves "Opera"
    Then tickets has dead-lettered 1 OrderCreated
    And the OrderCreated was delivered to tickets 11 times
    When the dead letters of payments are replayed
    Then tickets has dead-lettered 1 OrderCreated
    When the dead letters of tickets are replayed
    Then "Opera" is reserved for Boris
    And there are no dead letters
