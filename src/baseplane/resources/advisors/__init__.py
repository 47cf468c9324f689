"""What is risky or slow about a project: lints of its database, and rules on what the platform knows of it."""
