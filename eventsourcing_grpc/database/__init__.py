"""What a server has to do with its database besides recording: sessions, locks, passwords, and what goes wrong."""
