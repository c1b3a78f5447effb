Feature: Bans

  Background:
    Given Anna has listed "Opera" for 20.00
    And Boris has reserved "Opera"

  Scenario: Every service rejects a banned user immediately
    When Admin bans Boris
    Then Admin succeeds
    When Boris pays for "Opera"
    Then Boris gets the error "Not authorized"
    When Boris lists "Ballet" for 10.00
    Then Boris gets the error "Not authorized"
    When Boris cancels "Opera"
    Then Boris gets the error "Not authorized"

  Scenario: A banned user cannot sign in
    Given Admin has banned Boris
    When Boris signs in with the email "boris@example.org" and the password "curtain"
    Then Boris gets the error "User is banned"

  Scenario: A user whose ban is lifted can buy again
    Given Admin has banned Boris
    When Admin lifts the ban on Boris
    And Boris pays for "Opera"
    Then Boris succeeds

  Scenario: Banning a user twice changes nothing
    Given Admin has banned Boris
    When Admin bans Boris
    Then Admin succeeds

  Scenario: Only an administrator can ban
    When Boris bans Anna
    Then Boris gets the error "Not an administrator"

  # The claim of a rehearsal. Admin presents it before anything else.
  Scenario: A claim makes its first presenter an administrator
    Given Admin has claimed the rights of the administrator
    When Boris claims the rights of the administrator with "a claim that everybody knows"
    Then Boris gets the error "Claim is used"
    When Boris bans Anna
    Then Boris gets the error "Not an administrator"

  Scenario: The address of an administrator gives no right
    Given Admin has claimed the rights of the administrator
    When Admin changes the email to "boss@example.org", confirming with the password "curtain"
    And Boris changes the email to "admin@example.org", confirming with the password "curtain"
    And Boris bans Anna
    Then Boris gets the error "Not an administrator"
    When Admin bans Boris
    Then Admin succeeds

  Scenario: A wrong claim is rejected
    When Boris claims the rights of the administrator with "open barley"
    Then Boris gets the error "Invalid claim"

  Scenario: Banning requires a session
    When Visitor bans Boris
    Then Visitor gets the error "Not authorized"

  Scenario: A ban reaches every instance
    Given there are 3 instances of tickets
    And Admin has banned Boris
    When at the same moment
      | Boris | reprices | Opera | 1.00 |
      | Boris | reprices | Opera | 2.00 |
      | Boris | reprices | Opera | 3.00 |
    Then exactly 0 of them succeed
    And the others get the error "Not authorized"

  @short-ack-wait
  Scenario: A ban survives a restart
    Given Admin has banned Boris
    When payments is stopped and started again
    And Boris pays for "Opera"
    Then Boris gets the error "Not authorized"

  Scenario: Banning an unknown user is rejected
    When Admin sends POST "/api/users/65a000000000000000000001/ban"
    Then Admin gets the error "Not Found"

  Scenario: Only an administrator can lift a ban
    Given Admin has banned Boris
    When Anna lifts the ban on Boris
    Then Anna gets the error "Not an administrator"
    When Boris pays for "Opera"
    Then Boris gets the error "Not authorized"

  @short-ack-wait
  Scenario: A ban is published once the bus is reachable again
    Given Admin has claimed the rights of the administrator
    When the connection of auth to the bus is cut
    And Admin bans Boris
    Then Admin succeeds
    When everything is reachable again
    And Boris pays for "Opera"
    Then Boris gets the error "Not authorized"
