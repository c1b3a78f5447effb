// The users of MongoDB, created when its volume is empty: each service has one, for its own
// database alone. Later changes of a password are made by hand, as root.
for (const service of ["auth", "tickets", "orders", "expiration", "payments"]) {
  const database = `ticketing-${service}`;
  db.getSiblingDB(database).createUser({
    user: service,
    pwd: process.env[`MONGO_${service.toUpperCase()}_PASSWORD`],
    roles: [{ role: "readWrite", db: database }],
  });
}
