@fault
Feature: Events of a newer and of an older release, as during a rolling upgrade

  Background:
    Given Anna has listed "Opera" for 20.00

  Scenario Outline: <event> to <service> has the format of <release> release
    Given the next <event> to <service> has the format of <release> release
    And Boris has reserved "Opera"
    And Boris has paid for "Opera"
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once
    And there are no dead letters

    Examples:
      | event          | service    | release  |
      | OrderCreated   | tickets    | a newer  |
      | OrderCreated   | payments   | a newer  |
      | OrderCreated   | expiration | a newer  |
      | ChargeCreated  | orders     | a newer  |
      | OrderCompleted | payments   | a newer  |
      | OrderCreated   | tickets    | an older |
      | OrderCreated   | payments   | an older |
      | OrderCreated   | expiration | an older |
      | ChargeCreated  | orders     | an older |
      | OrderCompleted | payments   | an older |

  Scenario: Releases are mixed while a ticket is edited and sold again
    Given the next TicketUpdated to orders has the format of a newer release, 2 times in a row
    And the next OrderCancelled to tickets has the format of an older release
    When Anna changes the price of "Opera" to 21.00, 22.00 in quick succession
    And Boris reserves "Opera"
    And Boris cancels "Opera"
    And Clara reserves "Opera"
    Then "Opera" is reserved for Clara
    And Clara's order for "Opera" costs 22.00
    And there are no dead letters
