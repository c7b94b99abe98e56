"""Pages for people without Word: server-made HTML and plain ES modules, no build step."""
