@fault
Feature: Crashes and outages

  Background:
    Given Anna has listed "Opera" for 20.00

  @short-ack-wait
  Scenario Outline: Orders crashes right <when> it writes a reservation
    Given orders crashes right <when> its next write to orders
    When Boris reserves "Opera"
    Then Boris gets no reply
    When orders is started again
    Then Boris has <orders> orders

    Examples:
      | when   | orders |
      | before | 0      |
      | after  | 1      |

  @short-ack-wait
  Scenario Outline: Orders crashes right <when> it publishes OrderCreated
    Given orders crashes right <when> publishing the next OrderCreated
    When Boris reserves "Opera"
    And orders is started again
    And Boris finds an order for "Opera" after all
    Then "Opera" is reserved for Boris

    Examples:
      | when   |
      | before |
      | after  |

  @short-ack-wait
  Scenario Outline: Tickets crashes right <when> it acknowledges OrderCreated
    Given tickets crashes right <when> acknowledging the next OrderCreated
    When Boris reserves "Opera"
    And tickets is started again
    Then "Opera" is reserved for Boris

    Examples:
      | when   |
      | before |
      | after  |

  @short-ack-wait
  Scenario: A message whose handler crashed is handled after the restart
    Given tickets crashes right before its next write to tickets
    When Boris reserves "Opera"
    And tickets is started again
    Then "Opera" is reserved for Boris
    And tickets is still running

  @short-ack-wait
  Scenario: A ticket is reserved while tickets is down
    Given tickets is stopped
    When Boris reserves "Opera"
    And tickets is started again
    Then "Opera" is reserved for Boris

  @short-ack-wait
  Scenario: A ticket is reserved while payments is down
    Given payments is stopped
    When Boris reserves "Opera"
    And payments is started again
    And Boris pays for "Opera"
    Then Boris succeeds

  Scenario Outline: A publish <how>
    Given the next publish of OrderCreated <how>
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And there are no dead letters

    Examples:
      | how                          |
      | fails                        |
      | succeeds but reports failure |

  Scenario: A failed write leaves no order
    Given the next write of orders to orders fails
    When Boris reserves "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    And Boris has 0 orders
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris

  Scenario: A write succeeds but reports failure
    Given the next write of orders to orders succeeds but reports failure
    When Boris reserves "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    And Boris finds an order for "Opera" after all
    And "Opera" is reserved for Boris

  Scenario: A listener retries failed writes
    Given the next 3 writes of tickets to tickets fail
    When Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And there are no dead letters

  @short-ack-wait
  Scenario: The database of tickets is unreachable for a while
    When the database of tickets is unreachable
    And Anna lists "Ballet" for 30.00
    Then Anna gets the error "Service unavailable, try again later"
    When Boris reserves "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then "Opera" is reserved for Boris

  @short-ack-wait
  Scenario: The database of auth is unreachable for a while
    When the database of auth is unreachable
    And Dora signs up
    Then Dora gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Dora signs up
    Then Dora succeeds

  @short-ack-wait
  Scenario: The database of orders is unreachable for a while
    Given Boris has signed up
    When the database of orders is unreachable
    And Boris reserves "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris
    And Boris has 1 order

  @short-ack-wait
  Scenario: The database of payments is unreachable for a while
    Given Boris has reserved "Opera"
    When the database of payments is unreachable
    And Boris pays for "Opera"
    Then Boris gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris has paid 20.00 for "Opera" exactly once

  @short-ack-wait
  Scenario: A ticket is reserved while the bus is unreachable
    When the bus is unreachable
    And Boris reserves "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then "Opera" is reserved for Boris
    And Boris's order for "Opera" is created

  @short-ack-wait
  Scenario: A ticket is reserved while tickets is cut off from the bus
    When the connection of tickets to the bus is cut
    And Boris reserves "Opera"
    Then Boris succeeds
    When everything is reachable again
    Then "Opera" is reserved for Boris

  @short-ack-wait
  Scenario: Auth crashes right after it writes a sign-up
    Given auth crashes right after its next write to users
    When Dora signs up
    Then Dora gets no reply
    When auth is started again
    And Dora signs in with the email "dora@example.org" and the password "curtain"
    Then Dora is signed in

  @short-ack-wait
  Scenario: Tickets crashes right after it writes a listing
    Given Boris has signed up
    And tickets crashes right after its next write to tickets
    When 1 second passes
    And Anna lists "Ballet" for 30.00
    Then Anna gets no reply
    When tickets is started again
    And Boris browses the newest 1 tickets for sale
    Then Boris sees "Ballet"

  @short-ack-wait
  Scenario Outline: Orders crashes right <when> it acknowledges ChargeUpdated
    Given Boris has reserved "Opera"
    And orders crashes right <when> acknowledging the next ChargeUpdated
    When Boris pays for "Opera"
    And orders is started again
    Then Boris's order for "Opera" is complete
    And Boris has paid 20.00 for "Opera" exactly once

    Examples:
      | when   |
      | before |
      | after  |

  @short-ack-wait
  Scenario: A restart of every service loses nothing
    Given Boris has reserved "Opera"
    When auth is stopped and started again
    And tickets is stopped and started again
    And orders is stopped and started again
    And expiration is stopped and started again
    And payments is stopped and started again
    And Boris pays for "Opera"
    Then Boris succeeds
    And Boris's order for "Opera" is complete

  Scenario: A ticket whose event is late is not denied
    Given Boris has signed up
    When the connection of tickets to the bus is cut
    And Anna lists "Circus" for 20.00
    And Boris reserves "Circus"
    Then Boris gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Boris reserves "Circus"
    Then Boris succeeds

  Scenario: An order whose event is late is not denied
    Given Anna has listed "Circus" for 20.00
    And Boris has signed up
    When the connection of orders to the bus is cut
    And Boris reserves "Circus"
    And Boris pays for "Circus"
    Then Boris gets the error "Service unavailable, try again later"
    When everything is reachable again
    And Boris pays for "Circus"
    Then Boris succeeds

  Scenario: A service that lost its data builds its copies from the stream
    Given orders is stopped
    And orders has lost its database and its consumers
    When orders is started again
    And Boris reserves "Opera"
    Then "Opera" is reserved for Boris
