"""Pickles, walked opcode by opcode on a machine of strings and unknowns. Nothing is imported or called.

A pickle is a program: what it may call is what its globals name. Those that only rebuild tensors are listed
in `HARMLESS`; every other one is a finding, and so is a name that is put together while it runs.
"""

import io
import pickletools
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from integrations.intake.findings import Finding, shown

MOST_OPCODES = 5_000_000
MOST_GLOBALS = 200
MOST_PICKLES = 64  # one after another in one file; PyTorch's old format has five
LARGE = 1 << 16  # longer arguments are passed over, not read

_STORAGES = {
    f"{kind}Storage"
    for kind in (
        "Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool", "ComplexFloat",
        "ComplexDouble", "QUInt8", "QInt8", "QInt32", "QUInt4x2", "QUInt2x4", "Untyped",
    )
}  # fmt: skip
_DTYPES = {
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "device", "Size",
}  # fmt: skip
HARMLESS: dict[str, set[str]] = {
    "collections": {"OrderedDict"},
    "torch": _STORAGES | _DTYPES,
    "torch.storage": {"UntypedStorage", "TypedStorage"},
    "torch._utils": {"_rebuild_tensor_v2", "_rebuild_tensor", "_rebuild_parameter", "_rebuild_qtensor"},
    "torch.nn.parameter": {"Parameter"},
    "torch.serialization": {"_get_layout"},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "_codecs": {"encode"},
}
"""Module → names whose call rebuilds numbers and does nothing else."""

DANGEROUS = frozenset({
    "os", "posix", "nt", "subprocess", "sys", "builtins", "__builtin__", "__builtins__", "runpy", "pip",
    "ensurepip", "webbrowser", "importlib", "operator", "_operator", "functools", "ctypes", "_ctypes",
    "socket", "ssl", "shutil", "pty", "pdb", "bdb", "code", "codeop", "timeit", "cProfile", "profile",
    "trace", "pydoc", "doctest", "pickle", "_pickle", "marshal", "types", "asyncio", "multiprocessing",
    "threading", "signal", "urllib", "http", "requests", "aiohttp", "httpx", "ftplib", "smtplib",
    "imaplib", "telnetlib", "xmlrpc", "commands", "platform", "uuid", "venv", "distutils", "setuptools",
    "idlelib", "lib2to3", "test", "tempfile", "pathlib", "io", "_io", "logging", "inspect", "gc",
    "atexit", "site", "pkgutil", "zipimport", "copyreg", "cloudpickle", "dill", "joblib", "fileinput",
    "glob", "linecache", "mmap", "resource", "sqlite3", "ast", "_osx_support", "_aix_support",
    "_pyrepl", "antigravity",
})  # fmt: skip
"""First parts of modules that nothing needs that is only numbers."""

_BUILTINS_HARMLESS = frozenset(
    {"set", "frozenset", "complex", "bytearray", "slice", "range", "list", "dict", "tuple"}
)
_UNKNOWN, _MARK = object(), object()
_OLD_MAGIC, _OLD_PYTORCH = 0x1950A86A20F9469CFC6C, 5


class Walked(NamedTuple):
    """What a file's pickles name, and what kept the walk from its end, if something did."""

    globals: list[tuple[str, str]]
    built: int  # names put together while it runs
    pickles: int
    trouble: str | None


class _Sparse:
    """A file whose long reads are passed over: the machine needs short strings only."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.left = file, size

    def read(self, count: int = -1) -> bytes:
        if count < 0:
            raise ValueError("reads without an end")
        if count <= LARGE:
            data = self.file.read(count)
            self.left -= len(data)
            return data
        if count > self.left:
            raise ValueError("ends in the middle of a value")
        left = count
        while left:
            skipped = len(self.file.read(min(left, 1 << 20)))
            if not skipped:
                raise ValueError("ends in the middle of a value")
            left -= skipped
        self.left -= count
        return _Passed(count)

    def readline(self) -> bytes:
        line = self.file.readline(LARGE)
        self.left -= len(line)
        return line


class _Passed(bytes):
    """Stands for bytes that were passed over; only their number is known."""

    def __new__(cls, count: int) -> "_Passed":
        made = super().__new__(cls)
        made.length = count
        return made

    length: int

    def __len__(self) -> int:
        return self.length


def walk(file: IO[bytes], size: int) -> Walked:
    """Walk the pickles at the beginning of `file`, which has `size` bytes. Never raises."""
    found: dict[tuple[str, str], None] = {}
    built = pickles = 0
    numbers_follow = False
    source = _Sparse(file, size)
    steps = iter(range(MOST_OPCODES))
    try:
        # What follows the five pickles of PyTorch's old format are the numbers.
        while source.left > 0 and not (numbers_follow and pickles == _OLD_PYTORCH):
            if pickles == MOST_PICKLES:
                raise ValueError(f"has more than {MOST_PICKLES} pickles one after another")
            more, marked = _walk_one(source, found, steps)
            built, numbers_follow, pickles = built + more, numbers_follow or marked, pickles + 1
    except Exception as error:
        said = shown(str(error)) or type(error).__name__
        said = f"after {pickles} whole pickles: {said}" if pickles else said
        return Walked(list(found), built, pickles, said)
    return Walked(list(found), built, pickles, None)


def _walk_one(source: _Sparse, found: dict[tuple[str, str], None], steps: Iterator[int]) -> tuple[int, bool]:
    """One pickle up to its STOP: how many of its globals have names made while it runs, and whether it holds
    the number that PyTorch's old format begins with."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    built, marked = 0, False
    for opcode, argument, _ in _opcodes(source, steps):
        name = opcode.name
        marked = marked or argument == _OLD_MAGIC
        if name in ("GLOBAL", "INST"):
            module, _, attribute = str(argument).partition(" ")
            found[(module, attribute)] = None
            _apply(opcode, stack)
        elif name == "STACK_GLOBAL":
            attribute, module = _pop(stack), _pop(stack)
            if isinstance(module, str) and isinstance(attribute, str):
                found[(module, attribute)] = None
            else:
                built += 1
            stack.append(_UNKNOWN)
        elif name in ("EXT1", "EXT2", "EXT4"):
            built += 1
            stack.append(_UNKNOWN)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else int(argument)] = stack[-1] if stack else _UNKNOWN
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo.get(int(argument), _UNKNOWN))
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "DUP":
            stack.append(stack[-1] if stack else _UNKNOWN)
        else:
            _apply(opcode, stack)
            if isinstance(argument, str) and not isinstance(argument, _Passed) and stack and _is_text(name):
                stack[-1] = argument
        if len(found) > MOST_GLOBALS:
            raise ValueError(f"names more than {MOST_GLOBALS} things to call")
    return built, marked


def _opcodes(source: _Sparse, steps: Iterator[int]) -> Iterator[tuple[Any, Any, Any]]:
    for each in pickletools.genops(source):  # type: ignore[arg-type]
        if next(steps, None) is None:
            raise ValueError(f"has more than {MOST_OPCODES:,} steps")
        yield each


def _is_text(opcode: str) -> bool:
    return "STRING" in opcode or "UNICODE" in opcode


def _apply(opcode: Any, stack: list[Any]) -> None:
    """Take and leave as much as the opcode does; what it leaves is not known."""
    before = opcode.stack_before
    if pickletools.markobject in before:
        while stack and stack.pop() is not _MARK:
            pass
        before = before[: before.index(pickletools.markobject)]
    for _ in before:
        _pop(stack)
    stack.extend(_UNKNOWN for _ in opcode.stack_after)


def _pop(stack: list[Any]) -> Any:
    return stack.pop() if stack else _UNKNOWN


def look(file: IO[bytes], size: int, where: str = "") -> list[Finding]:
    """What the pickles in `file` would do, as findings; `where` names a part of the file."""
    walked = walk(file, size)
    told = f"{where}: " if where else ""
    findings = [finding for name in walked.globals if (finding := _of(name, told))]
    if walked.built:
        findings.append(
            Finding(
                "pickle", "dangerous", f"{told}It puts together the name of what it calls while it is loaded."
            )
        )
    if walked.trouble:
        findings.append(
            Finding("pickle", "unknown", f"{told}It could not be looked through: {walked.trouble}.")
        )
    return findings


def is_pickle(head: bytes) -> bool:
    """Whether text or unknown bytes are an old pickle (protocol 0 or 1), which no magic number marks."""
    source = _Sparse(io.BytesIO(head), len(head))
    count = 0
    try:
        for opcode, _, _ in pickletools.genops(source):  # type: ignore[arg-type]
            count += 1
            if opcode.name == "STOP":
                return count > 1
    except Exception:
        return False
    return False


def _of(named: tuple[str, str], told: str) -> Finding | None:
    module, name = named
    if name in HARMLESS.get(module, ()) or (
        module in ("builtins", "__builtin__") and name in _BUILTINS_HARMLESS
    ):
        return None
    said = f"{shown(module, 80)}.{shown(name, 80)}"
    if module.split(".")[0] in DANGEROUS:
        return Finding("pickle", "dangerous", f"{told}Loading it would call {said}: it can run anything.")
    return Finding(
        "pickle", "suspicious", f"{told}Loading it would call {said}, which is more than rebuilding numbers."
    )
