Feature: Clients that do not mind their manners

  Scenario: Broken JSON
    When Anna sends POST "/api/tickets"
      """
      {"title": "Opera",
      """
    Then the request is refused with 400

  Scenario: JSON of another shape
    When Anna sends POST "/api/tickets"
      """
      ["Opera", 20]
      """
    Then the request is refused with 400

  Scenario: Another content type
    When Anna sends POST "/api/tickets" as plain text
      """
      {"title": "Opera", "price": 20}
      """
    Then the request is refused with 415

  Scenario: Too much
    When Anna sends POST "/api/tickets" with a body of 100 kilobytes
    Then the request is refused with 413
    And no ticket is for sale

  Scenario Outline: <method> <path> does not exist
    When Anna sends <method> "<path>"
    Then the request is refused with 404

    Examples:
      | method | path                                  |
      | PATCH  | /api/tickets                          |
      | GET    | /api/tickets/65a000000000000000000001 |
      | GET    | /api/orders/65a000000000000000000001  |
      | DELETE | /api/orders/65a000000000000000000001  |
      | GET    | /api/payments                         |
      | GET    | /api/users/nothing                    |

  Scenario Outline: A malformed id at <path>
    When Anna sends <method> "<path>"
    Then the request is refused with 400

    Examples:
      | method | path                 |
      | GET    | /api/tickets/opera   |
      | GET    | /api/orders/%20      |
      | DELETE | /api/orders/12345    |

  Scenario Outline: A page of nonsense: <query>
    When Anna sends GET "/api/tickets?<query>"
    Then the request is refused with 400

    Examples:
      | query           |
      | limit=many      |
      | limit=0         |
      | after=yesterday |
