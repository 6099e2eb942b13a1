"""Problems and texts prepared for a model to learn from or to be measured on, one file for each way of making them."""
