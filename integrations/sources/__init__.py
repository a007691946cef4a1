"""Where models come from. A new source is one file here and one line below."""

from integrations.registry import Registry
from integrations.sources.base import Source
from integrations.sources.folder import Folder
from integrations.sources.huggingface import HuggingFace
from integrations.sources.ollama import Ollama
from integrations.sources.starter import Starter
from integrations.sources.upload import UploadSource
from integrations.sources.url import Url

SOURCES: Registry[Source] = Registry(
    "model source",
    huggingface=HuggingFace(),
    ollama=Ollama(),
    upload=UploadSource(),
    url=Url(),
    folder=Folder(),
    starter=Starter(),
)
