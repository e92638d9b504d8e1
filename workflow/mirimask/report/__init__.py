"""Tables, claims and pages: they say what tables that are given hold."""
