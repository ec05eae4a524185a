"""Recipes: one small TOML file for each checkpoint; ``extends`` names a file whose tables it changes."""
