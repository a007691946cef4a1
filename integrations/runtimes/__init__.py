"""The ways a model can be run. A new one is a file here and a word in this line."""

from integrations.registry import Registry
from integrations.runtimes.base import Launch, Runtime
from integrations.runtimes.process import ProcessRuntime

RUNTIMES: Registry[Runtime] = Registry("runtime", process=ProcessRuntime())

__all__ = ["RUNTIMES", "Launch", "Runtime"]
