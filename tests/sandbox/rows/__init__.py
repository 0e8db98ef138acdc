"""How the rows of each kind are made up."""
