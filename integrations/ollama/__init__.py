"""The Ollama server this hub works with, through Ollama's own client: `Server` asks, the programs beside it
carry out what takes long."""

from integrations.ollama.facts import Held, Shown
from integrations.ollama.names import full_name
from integrations.ollama.server import Server, Step

__all__ = ["Held", "Server", "Shown", "Step", "full_name"]
