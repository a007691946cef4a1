"""The verbs of the product: plain functions, one unit of work each. No request, no HTTP words."""
