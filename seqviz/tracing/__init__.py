"""Model and text to trace."""
