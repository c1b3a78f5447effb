Feature: Transfers

  Background:
    Given Anna has opened an account with 100
    And Ben has opened an account with 0

  Scenario: A transfer without funds moves nothing
    When Ben sends 10 to Anna
    Then Ben has 0
    And Anna has 100

  Scenario: A redelivered request moves the money once
    Given the acknowledgement of the next TransferRequested at accounts is lost
    When Anna sends 30 to Ben
    Then the TransferRequested was delivered to accounts 2 times
    And Anna has 70
    And Ben has 30
