Feature: Malformed requests

  Scenario: Malformed JSON is rejected
    When Anna sends POST "/api/tickets":
      """
      {"title": "Opera",
      """
    Then the request is rejected with status 400

  Scenario: JSON of the wrong shape is rejected
    When Anna sends POST "/api/tickets":
      """
      ["Opera", 20]
      """
    Then the request is rejected with status 400

  Scenario: A body that is not JSON is rejected
    When Anna sends POST "/api/tickets" as plain text:
      """
      {"title": "Opera", "price": 20}
      """
    Then the request is rejected with status 415

  Scenario: A body that is too large is rejected
    When Anna sends POST "/api/tickets" with a body of 100 kilobytes
    Then the request is rejected with status 413
    And no ticket is for sale

  Scenario Outline: <method> <path> is not found
    When Anna sends <method> "<path>"
    Then the request is rejected with status 404

    Examples:
      | method | path                                  |
      | PATCH  | /api/tickets                          |
      | GET    | /api/tickets/65a000000000000000000001 |
      | GET    | /api/orders/65a000000000000000000001  |
      | DELETE | /api/orders/65a000000000000000000001  |
      | GET    | /api/payments                         |
      | GET    | /api/users/nothing                    |

  Scenario Outline: <method> <path> is rejected for its malformed id
    When Anna sends <method> "<path>"
    Then the request is rejected with status 400

    Examples:
      | method | path                 |
      | GET    | /api/tickets/opera   |
      | GET    | /api/orders/%20      |
      | DELETE | /api/orders/12345    |

  Scenario Outline: The invalid query <query> is rejected
    When Anna sends GET "/api/tickets?<query>"
    Then the request is rejected with status 400

    Examples:
      | query           |
      | limit=many      |
      | limit=0         |
      | after=yesterday |
