Feature: Banning

  Background:
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"

  Scenario: Who is banned is turned away everywhere at once
    When Admin bans Boris
    Then Admin succeeds
    When Boris pays for "Opera"
    Then Boris is told "Not authorized"
    When Boris lists "Ballet" for 10.00
    Then Boris is told "Not authorized"
    When Boris cancels "Opera"
    Then Boris is told "Not authorized"

  Scenario: Who is banned does not get in again
    Given Admin has banned Boris
    When Boris signs in with the address "boris@example.org" and the password "curtain"
    Then Boris is told "User is banned"

  Scenario: A ban can be lifted
    Given Admin has banned Boris
    When Admin lifts the ban of Boris
    And Boris pays for "Opera"
    Then Boris succeeds

  Scenario: Banning twice changes nothing
    Given Admin has banned Boris
    When Admin bans Boris
    Then Admin succeeds

  Scenario: Only an administrator bans
    When Boris bans Anna
    Then Boris is told "Not an administrator"

  Scenario: Nobody is banned by nobody
    When Somebody bans Boris
    Then Somebody is told "Not authorized"

  Scenario: A ban is heard by every instance
    Given there are 3 instances of tickets
    And Admin has banned Boris
    When at the same moment
      | Boris | reprices | Opera | 1.00 |
      | Boris | reprices | Opera | 2.00 |
      | Boris | reprices | Opera | 3.00 |
    Then exactly 0 of them succeed
    And the others are told "Not authorized"

  @short-ack-wait
  Scenario: A ban is known after a restart
    Given Admin has banned Boris
    When payments is stopped and started again
    And Boris pays for "Opera"
    Then Boris is told "Not authorized"

  Scenario: Whoever does not exist cannot be banned
    When Admin sends POST "/api/users/65a000000000000000000001/ban"
    Then Admin is told "Not Found"

  Scenario: Only an administrator lifts a ban
    Given Admin has banned Boris
    When Anna lifts the ban of Boris
    Then Anna is told "Not an administrator"
    When Boris pays for "Opera"
    Then Boris is told "Not authorized"

  @short-ack-wait
  Scenario: A ban that the bus could not carry arrives later
    Given Admin has signed up
    When auth's connection to the bus is cut
    And Admin bans Boris
    Then Admin succeeds
    When everything is reachable again
    And Boris pays for "Opera"
    Then Boris is told "Not authorized"
