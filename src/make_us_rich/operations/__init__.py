"""What can be done, as plain functions with typed results; commands, desk and API call them."""
