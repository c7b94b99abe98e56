"""Who may do what: people and programs by their keys, sessions and Entra tokens."""
