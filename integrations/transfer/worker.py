"""One connection: takes a part, asks for it, writes what comes, and comes back for the next."""

import http.client
import ssl
import time
from typing import TYPE_CHECKING

from integrations.errors import IntegrationError, Unreachable
from integrations.http import Origin, Response, Wire
from integrations.transfer.answers import check_answer, request_fields
from integrations.transfer.partial import BLOCK, Part, write_all
from integrations.transfer.retry import Changed, Kind, Trouble
from integrations.transfer.space import disk_trouble

if TYPE_CHECKING:
    from integrations.transfer.engine import Engine

LONGEST_FILL = 0.25
"""Seconds a block may take to fill before what is there is written."""


class Worker:
    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.wire = Wire(engine.outbound)
        self.speed = 0.0
        self._buffer = memoryview(bytearray(BLOCK))

    def run(self) -> None:
        """Until nothing is left to claim, or the transfer stops or fails."""
        try:
            while part := self.engine.claim(self.speed):
                self._fetch(part)
        except IntegrationError as error:
            self.engine.fail(error)
        except OSError as error:
            self.engine.fail(disk_trouble(error, self.engine.into) or error)
        except Exception as error:
            self.engine.fail(error)
        finally:
            self.wire.close()

    def _fetch(self, part: Part) -> None:
        begun, first = time.monotonic(), part.position
        trouble: Trouble | None = None
        try:
            response = self._ask(part)
            if part.file.small and part.position == 0 and part.end == part.file.size:
                self._receive_whole(part, response)
            else:
                self._receive(part, response)
        except Trouble as met:
            trouble = met
        except Changed:
            self.engine.changed(part)
        if trouble:
            self.wire.close()
        elapsed, moved = time.monotonic() - begun, part.position - first
        if elapsed > 0.05:
            self.speed = moved / elapsed
        self.engine.release(part, moved, trouble)

    def _ask(self, part: Part) -> Response:
        """A checked answer whose body begins at the part's position."""
        file = part.file
        with self.engine.address_of(file) as url:
            self.engine.wait_if_held()
            validator = file.validator
            asked_end = part.end  # another worker may take over the second half while we ask
            fields = request_fields(part.position, asked_end, validator, part.whole)
            try:
                response = self.wire.get(url, fields)
            except ssl.SSLCertVerificationError as error:
                raise Unreachable(
                    f"The certificate of {Origin.of(url)} is not trusted ({error.verify_message}). If your "
                    "network "
                    "has an authority of its own, set SSL_CERT_FILE to its certificates."
                ) from error
            except (OSError, http.client.HTTPException) as error:
                if part.failures:
                    self.engine.lost(file, url)
                raise Trouble(Kind.NETWORK, _say(error)) from error
            try:
                held = check_answer(response, file.download, part.position, asked_end, validator)
            except BaseException as error:
                self.wire.drop(response.url)
                if isinstance(error, Trouble) and (error.kind is Kind.EXPIRED or part.failures):
                    self.engine.lost(file, url)
                raise
            self.engine.located(part, response.url, held, response.status == 206)
        return response

    def _receive_whole(self, part: Part, response: Response) -> None:
        """A small file, into memory first."""
        options, throttle = self.engine.options, self.engine.throttle
        size, filled = part.file.size, 0
        begun = time.monotonic()
        try:
            while filled < size:
                wanted = throttle.turn(size - filled)
                begun += throttle.take(wanted, self.engine.stopping)
                if not self.engine.room(part):
                    return
                count, ended = self._fill(response, filled + wanted, filled)
                throttle.give_back(wanted - count)
                filled += count
                if ended and filled < size:
                    raise Trouble(Kind.NETWORK, "the connection was cut")
                elapsed = time.monotonic() - begun
                if options.slow_time <= elapsed and filled < min(size, options.slow_rate * elapsed):
                    raise Trouble(Kind.NETWORK, f"only {filled} bytes came in {elapsed:.0f} seconds")
            self.engine.arrived(part, self._buffer[:size])
        finally:
            if not response.finish():
                self.wire.drop(response.url)

    def _receive(self, part: Part, response: Response) -> None:
        options = self.engine.options
        throttle = self.engine.throttle
        watched, counted = time.monotonic(), 0
        try:
            while room := self.engine.room(part):
                wanted = throttle.turn(min(room, BLOCK))
                watched += throttle.take(wanted, self.engine.stopping)  # our own waiting is not the server's
                if self.engine.stopping.is_set():
                    return
                filled, ended = self._fill(response, wanted)
                throttle.give_back(wanted - filled)
                if filled:
                    write_all(part.fd, self._buffer[:filled], part.position)
                    self.engine.advance(part, filled)
                if ended:
                    raise Trouble(Kind.NETWORK, "the connection was cut")
                counted += filled
                now = time.monotonic()
                if now - watched >= options.slow_time:
                    if counted < options.slow_rate * options.slow_time:
                        raise Trouble(
                            Kind.NETWORK, f"only {counted} bytes came in {now - watched:.0f} seconds"
                        )
                    watched, counted = now, 0
        finally:
            if not response.finish():
                self.wire.drop(response.url)

    def _fill(self, response: Response, room: int, at: int = 0) -> tuple[int, bool]:
        """Bytes read into the buffer from `at` to `room`, and whether the body ended before it should."""
        filled, begun = at, time.monotonic()
        while filled < room:
            try:
                count = response.receive(self._buffer[filled:room])
            except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
                if filled > at:
                    return filled - at, True
                raise Trouble(Kind.NETWORK, _say(error)) from error
            if count == 0:
                return filled - at, True
            filled += count
            if time.monotonic() - begun > LONGEST_FILL:
                break
        return filled - at, False


def _say(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came for too long"
    if isinstance(error, ConnectionResetError):
        return "the connection was reset"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    return f"{type(error).__name__}: {error}"[:200]
