"""One module per version; once released they never change."""
