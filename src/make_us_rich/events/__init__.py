"""What happened, said once to whoever listens: plain records, and the bus that carries them in a process."""
