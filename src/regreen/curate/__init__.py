"""Problems made of what is there: traced test suites, competitions, and what a model says of them."""
