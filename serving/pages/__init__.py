"""Pages for people without Word: server-made HTML, styles, and how both are sent."""
