"""What a file is by its first bytes. A name says only what somebody wants it to be."""

import struct
from typing import Any

HEAD = 4096
"""Bytes that are looked at."""

EXECUTABLES = (
    (b"\x7fELF", "a program for Linux"), (b"MZ", "a program for Windows"),
    (b"\0asm", "a WebAssembly program"), (b"\xfe\xed\xfa\xce", "a program for macOS"),
    (b"\xfe\xed\xfa\xcf", "a program for macOS"), (b"\xce\xfa\xed\xfe", "a program for macOS"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "a Java class or a program for macOS"), (b"dex\n", "a program for Android"),
    (b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut"),
    (b"\xd0\xcf\x11\xe0", "an Office or installer file"), (b"!<arch>\n", "a library of programs"),
)  # fmt: skip
ARCHIVES = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"Rar!\x1a\x07", "RAR"), (b"\x04\x22\x4d\x18", "LZ4"),
    (b"MSCF", "CAB"), (b"xar!", "XAR"), (b"ZLIB", "joblib"), (b"ZF", "joblib"),
)  # fmt: skip
MEDIA = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF", b"OggS", b"fLaC", b"ID3", b"%PDF-",
    b"\x1aE\xdf\xa3", b"\0\0\x01\0", b"II*\0", b"MM\0*",
)  # fmt: skip
_TYPES = (b"ftypmp4", b"ftypiso", b"ftypM4V", b"ftypqt", b"ftypavi", b"ftyphei")


def sniff(head: bytes, size: int) -> tuple[str, str]:
    """(kind, detail). Kinds: empty gguf safetensors zip pickle numpy hdf5 program archive media text
    binary."""
    if not head:
        return "empty", ""
    if head.startswith(b"GGUF"):
        return "gguf", ""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip", ""
    if head[0] == 0x80 and len(head) > 1 and 2 <= head[1] <= 6:
        return "pickle", ""
    if head.startswith(b"\x93NUMPY"):
        return "numpy", ""
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5", ""
    if _begins_safetensors(head, size):
        return "safetensors", ""
    for magic, what in EXECUTABLES:
        if head.startswith(magic) and not (magic == b"MZ" and _is_text(head)):
            return "program", what
    for magic, what in ARCHIVES:
        if head.startswith(magic) and not _is_text(head):
            return "archive", what
    if head[257:262] == b"ustar":
        return "archive", "tar"
    if head.startswith(MEDIA) or head[4:12].startswith(_TYPES):
        return "media", ""
    return ("text" if _is_text(head) else "binary"), ""


def _begins_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":
        return False
    return bool(struct.unpack("<Q", head[:8])[0] <= size - 8)


def _is_text(head: bytes) -> bool:
    """UTF-8 (or UTF-16 with its mark) without control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    for cut in range(4):  # the last letter may be cut in two
        try:
            text: Any = head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return not any(ord(letter) < 32 and letter not in "\t\n\r\f\x1b\x08" for letter in text)
    return False
