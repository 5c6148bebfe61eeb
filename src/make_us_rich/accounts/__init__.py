"""People: who there is, how they prove it, what they may, what they hold and how much they have used."""
