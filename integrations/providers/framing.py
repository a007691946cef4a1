"""Where a body ends: by length, by the connection, or by chunks (RFC 9112, 6)."""

LONGEST_LINE = 65536


class Plain:
    """A body of known length, or one that ends with the connection (`length` None)."""

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.done = length == 0
        self.reusable = length is not None

    def feed(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        piece, self._left = data[: self._left], self._left - len(data)
        self.done = self._left <= 0
        return piece

    def end(self) -> None:
        if self._left is not None:
            raise ConnectionError(f"{self._left} bytes are missing")
        self.done = True


class Chunked:
    """RFC 9112, 7.1: undo the framing of everything at hand in one pass."""

    def __init__(self) -> None:
        self._held = b""
        self._left = 0  # of a chunk that has begun, with its closing CRLF
        self._trailer = False
        self.done = False
        self.reusable = True

    def feed(self, data: bytes) -> bytes:
        if self._held:
            data = self._held + data
            self._held = b""
        at, size, parts = 0, len(data), []
        if self._left:
            at = min(self._left, size)
            parts.append(data[: min(self._left - 2, size)] if self._left > 2 else b"")
            self._left -= at
        while at < size and not self._trailer:
            line = data.find(b"\r\n", at)
            if line < 0:
                self._hold(data[at:])
                break
            try:
                length = int(data[at:line], 16)
            except ValueError:
                length = int(data[at:line].partition(b";")[0], 16)  # a chunk extension, or nonsense
            if length < 0:
                raise ValueError("its chunk framing is broken")
            begin = line + 2
            end = begin + length
            at = end + 2
            if not length:
                self._trailer, at = True, begin
                continue
            parts.append(data[begin:end])
            if at > size:
                self._left = at - size
        if self._trailer:
            rest = data[at:]
            self.done = rest.startswith(b"\r\n") or b"\r\n\r\n" in rest
            self._hold(rest)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def _hold(self, rest: bytes) -> None:
        if len(rest) > LONGEST_LINE:
            raise ValueError("its chunk framing is broken")
        self._held = rest

    def end(self) -> None:
        raise ConnectionError("the connection closed before the last chunk")
