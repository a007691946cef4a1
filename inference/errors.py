"""Why an engine could not start, in words a person can act on. The `code` reaches the deployment's row."""

from integrations.errors import IntegrationError


class EngineError(IntegrationError):
    code = "ENGINE_FAILED"


class UnsupportedArchitecture(EngineError):
    code = "UNSUPPORTED_ARCHITECTURE"


class BrokenModel(EngineError):
    code = "BROKEN_MODEL"


class PortInUse(EngineError):
    code = "PORT_IN_USE"


class OutOfMemory(EngineError):
    code = "OUT_OF_MEMORY"
