"""Names strangers give to files: over three hundred to be refused, by the rules of POSIX and Windows."""

PLACES = [
    "/",
    "//",
    "///x",
    "/etc/passwd",
    "/tmp/escaped",
    "//server/share",
    "//?/C:/escaped",
    "/dev/shm/escaped",
    "/proc/self/environ",
    "~",
    "~/escaped",
    "~root/.ssh/authorized_keys",
    "C:",
    "C:/escaped",
    "c:escaped",
    "C:\\Windows\\escaped",
    "\\\\server\\share\\escaped",
    "\\\\?\\C:\\escaped",
    "\\\\.\\PhysicalDrive0",
    "\\escaped",
    "Z:/escaped",
    "file:///tmp/escaped",
    "http://127.0.0.1/escaped",
    "a:b",
    "model.bin:stream",
    "a/b:c:$DATA",
]
UPWARDS = [
    f"{before}{dots}{slash}{after}"
    for before in ("", "a/", "a/b/", "./", "..a/")
    for dots, slash in (
        ("..", "/"),
        ("..", "\\"),
        ("../..", "/"),
        ("../../../../../../..", "/"),
        ("..\\..", "\\"),
    )
    for after in ("escaped", "escaped/x.json", "tmp/escaped")
]
DOTS = [
    "",
    ".",
    "..",
    "...",
    "....",
    "a/..",
    "a/.",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a/../",
    "../",
    "./..",
    ".. ",
    "..  /x",
    ". ./x",
    "a/... ",
    "a.",
    "a. ",
    "a ",
    " a",
    "a/ b",
    "a /b",
    "a./b",
    "a/b.",
    "a/b ",
    " ",
    "  ",
    ". ",
    " .",
    "x..",
]
DEVICES = [
    name.format(device)
    for device in (
        "CON",
        "prn",
        "Aux",
        "NUL",
        "COM1",
        "com9",
        "LPT1",
        "lpt3",
        "COM¹",
        "lpt²",
        "CONIN$",
        "conout$",
    )
    for name in ("{}", "{}.txt", "{}.tar.gz", "x/{}", "{}/x.json", "{} .txt")
]
UNSEEN = [
    f"{before}{letter}{after}"
    for letter in (
        "\0",
        "\n",
        "\r",
        "\t",
        "\x01",
        "\x1b[2J",
        "\x7f",
        "\x80",
        "\x9f",
        "\u00ad",
        "\u200b",
        "\u200f",
        "\u202e",
        "\u2028",
        "\u2029",
        "\u2066",
        "\ufeff",
        "\ue000",
        "\ud800",
    )
    for before, after in (("", ""), ("a", "b"), ("../", "/escaped"), ("model", ".safetensors"))
]
OVERLONG = [
    "x" * 241,
    "x" * 4096,
    "a/" + "é" * 130,
    "模" * 90,
    "/".join("d" * 33),
    "/".join(["d"] * 40),
    "a/" * 600 + "b",
    "a/" * 3000 + "escaped",
    "/".join("y" * 200 for _ in range(6)),
    "x" * 70_000,
]
OURS = [
    ".transfer",
    ".Transfer",
    ".TRANSFER",
    ".transfer/journal",
    ".Transfer/lock",
    ".transfer/00000.0.part",
    ".ｔransfer/journal",
    ".TRANSFER/x/y",
    ".tranſfer/x",
    ".transfer/../escaped",
]
CLASHES = [
    ["a", "a"],
    ["README.md", "readme.md"],
    ["caf\u00e9", "cafe\u0301"],
    ["straße", "STRASSE"],
    ["a", "a/b"],
    ["A/b", "a"],
    ["x/y/z", "x/y"],
    ["ﬁle", "file"],
    ["K.txt", "\u212a.txt"],
    ["Å", "\u212b"],
    ["１.bin", "1.bin"],
    ["ſ.json", "s.json"],
    ["dir/x", "DIR"],
    ["é/x", "e\u0301"],
    ["a/b/c", "A/B"],
    ["ⅸ", "ix"],
]
"""Harmless each, refused together."""

HOSTILE: list[list[str]] = [
    [name] for name in dict.fromkeys([*PLACES, *UPWARDS, *DOTS, *DEVICES, *UNSEEN, *OVERLONG, *OURS])
] + CLASHES
