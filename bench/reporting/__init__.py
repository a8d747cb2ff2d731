"""Tables, figures and the summary on the screen, from records alone: neither torch nor a store."""
