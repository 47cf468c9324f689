"""Which schemas of a project the Data API serves."""

EXPOSED_SCHEMAS = ("public", "graphql_public")
"""The first is the one that is meant when none is named."""
EXTRA_SEARCH_PATH = ("public", "extensions")
"""Schemas whose types and functions need no prefix in it, whichever schema is asked for."""
