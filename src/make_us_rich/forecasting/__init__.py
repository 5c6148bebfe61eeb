"""Every kind of forecast behind one protocol, one record for all, and the board of what is in service."""
