"""What a person types: options become calls of the library."""
