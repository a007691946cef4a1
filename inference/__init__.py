"""Programs that answer: OpenAI-compatible inference servers, one per engine. Run as processes of their own."""
