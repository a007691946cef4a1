"""Where models come from. A new source is one file here and one line below."""

from integrations.registry import Registry
from integrations.sources.base import Source
from integrations.sources.huggingface import HuggingFace
from integrations.sources.ollama import Ollama
from integrations.sources.starter import Starter

SOURCES: Registry[Source] = Registry(
    "model source", huggingface=HuggingFace(), ollama=Ollama(), starter=Starter()
)
