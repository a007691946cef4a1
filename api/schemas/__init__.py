"""What comes in and what goes out: the source of the OpenAPI document and of the console's types."""
