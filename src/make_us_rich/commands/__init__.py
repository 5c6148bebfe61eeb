"""What each `mur` command does; whatever is heavy is imported inside the command that needs it."""
