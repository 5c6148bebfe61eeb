"""Trends as the service makes, keeps and answers them."""
