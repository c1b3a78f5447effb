//! The store on MongoDB, through the `mongodb` driver.
