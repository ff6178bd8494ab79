"""Finds a card's data file: beside the card, in $ALPACA_DATA_DIR, in the cache, or by download."""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn
from urllib.parse import urlsplit

from alpaca_eval_suite.cards.card import DataFile
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.offline import refuse_outside
from alpaca_eval_suite.resources import cache_dir, data_dirs

if TYPE_CHECKING:
    import httpx

_TRIES = 4
_TIMEOUT = 30.0  # seconds without a byte
_CONNECT_TIMEOUT = 10.0

Place = Literal["shipped", "cached", "in $ALPACA_DATA_DIR", "to be downloaded", "to be fetched by hand"]
"""Where a data file is: beside its card, in the user's cache, in a folder the user named, or not on this machine."""


def find_data(data: DataFile, folder: Path) -> Path:
    """The path of a data file whose content is checked. `folder` is the card's.

    Where nobody could state a checksum, it is what the user put into $ALPACA_DATA_DIR, and only its hash tells which.
    Raises SuiteError when it is missing, lies outside the folder, has the wrong checksum, or cannot be
    downloaded.
    """
    if data.file is not None:
        return _beside_card(data, folder)
    if data.by_hand:
        return _put_by_hand(data) or _refuse_unknown(data)
    found, other = _here(data)
    if found is None:
        _refuse_offline(data)
    return found or _download(data, other)


def _refuse_offline(data: DataFile) -> None:
    refuse_outside(
        urlsplit(str(data.url)).hostname or "",
        where=str(data.url),
        next_step=f"Get the file {data.name} elsewhere (SHA-256 {data.sha256}), put it into a folder, and name that "
        "folder in $ALPACA_DATA_DIR; or unset ALPACA_OFFLINE.",
    )


def place_of(data: DataFile, folder: Path) -> tuple[Place, Path | None]:
    """Where the data file is and its path, None where it would have to be downloaded; nothing is fetched here.

    Raises SuiteError for a file beside the card that is missing, lies outside the folder or has another checksum.
    """
    if data.file is not None:
        return "shipped", _beside_card(data, folder)
    if data.by_hand:
        path = _put_by_hand(data)
        return ("in $ALPACA_DATA_DIR", path) if path else ("to be fetched by hand", None)
    found, _ = _here(data)
    if found is None:
        return "to be downloaded", None
    return ("cached" if found == _cached(data) else "in $ALPACA_DATA_DIR"), found


def _here(data: DataFile) -> tuple[Path | None, list[Path]]:
    """The first file on this machine with the right content; files of its name with other content before it."""
    other: list[Path] = []
    for candidate in _already_here(data):
        if sha256_of(candidate) == data.sha256:
            return candidate, other
        other.append(candidate)
    return None, other


def _beside_card(data: DataFile, folder: Path) -> Path:
    path = (folder / str(data.file)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SuiteError(
            f"the data file {data.file!r} lies outside the scenario's folder",
            where=str(folder / "card.yaml"),
            next_step="Put the file into the folder, or give its https URL with sha256 and size.",
        )
    if not path.is_file():
        raise SuiteError("is missing", where=str(path), next_step="Put the data file beside its card.yaml.")
    if data.sha256 is not None and (found := sha256_of(path)) != data.sha256:
        raise SuiteError(
            f"has the SHA-256 {found}, but the card says {data.sha256}",
            where=str(path),
            next_step="Restore the file, or correct the checksum in the card if the change was meant.",
        )
    return path


def _put_by_hand(data: DataFile) -> Path | None:
    """The file of that name in $ALPACA_DATA_DIR; None without one. Raises SuiteError for two of different content."""
    found = {sha256_of(path): path for path in _in_data_dirs(data)}
    if len(found) > 1:
        places = ", ".join(f"{path} (SHA-256 {sha256[:16]}…)" for sha256, path in found.items())
        raise SuiteError(
            f"$ALPACA_DATA_DIR holds different files of the name {data.name}: {places}",
            next_step="Which of them is meant cannot be told, since no checksum of it is known: keep one.",
        )
    return next(iter(found.values()), None)


def _refuse_unknown(data: DataFile) -> NoReturn:
    raise SuiteError(
        "is not downloaded: its checksum is not known, so nobody could tell whether the right file came",
        where=str(data.url),
        next_step=f"Fetch {data.name} from there yourself, look at it, put it into a folder, and name that folder in "
        "$ALPACA_DATA_DIR. Results carry the hash of the file that you use.",
    )


def _already_here(data: DataFile) -> Iterator[Path]:
    if _cached(data).is_file():
        yield _cached(data)
    yield from _in_data_dirs(data)


def _in_data_dirs(data: DataFile) -> Iterator[Path]:
    for root in data_dirs():
        yield from sorted(path for path in root.rglob(glob.escape(data.name)) if path.is_file())


def _cached(data: DataFile) -> Path:
    return cache_dir() / "data" / f"{str(data.sha256)[:16]}-{data.name}"


def _download(data: DataFile, other: list[Path]) -> Path:
    """Fetch the file into the cache. `other`: files of its name with other content, named when this fails."""
    import httpx
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

    target = _cached(data)
    retrying = Retrying(
        stop=stop_after_attempt(_TRIES),
        wait=wait_exponential_jitter(initial=0.5, max=8),
        retry=retry_if_exception(_is_passing),
        reraise=True,
    )
    try:
        retrying(_fetch, data, target)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        passed_over = f" (passed over, other content: {', '.join(map(str, other))})" if other else ""
        raise SuiteError(
            f"could not be downloaded ({type(error).__name__}: {error})",
            where=str(data.url),
            next_step=f"Without a network, get the file {data.name} elsewhere (SHA-256 {data.sha256}), "
            f"put it into a folder, and name that folder in $ALPACA_DATA_DIR{passed_over}.",
        ) from error
    except OSError as error:
        raise SuiteError(
            f"cannot be written ({error.strerror or error})",
            where=str(target),
            next_step="Free some space, or set ALPACA_CACHE_DIR to another folder.",
        ) from error
    return target


def _is_passing(error: BaseException) -> bool:
    """Whether the fault may go away by itself: no answer, too many requests, a fault of the server."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _fetch(data: DataFile, target: Path) -> None:
    """Stream to a temporary file, no more than the card says; put it in place when its checksum is right."""
    import httpx

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{data.name}.")
    try:
        with (
            os.fdopen(handle, "wb") as stream,
            httpx.Client(
                timeout=httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT),
                follow_redirects=True,
                event_hooks={"response": [_stay_on_https]},
            ) as client,
            client.stream("GET", str(data.url)) as response,
        ):
            response.raise_for_status()
            received = 0
            for chunk in response.iter_bytes():
                received += len(chunk)
                if received > (data.size or 0):
                    break
                stream.write(chunk)
        if received != data.size or sha256_of(Path(temporary)) != data.sha256:
            raise SuiteError(
                f"is not the file the card describes ({received} bytes came, {data.size} were expected, "
                "or the SHA-256 differs)",
                where=str(data.url),
                next_step="It may have changed at its source: compare it by hand before you touch the card.",
            )
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _stay_on_https(response: "httpx.Response") -> None:
    import httpx

    location = response.headers.get("location", "")
    if response.is_redirect and response.url.join(location).scheme != "https":
        raise httpx.UnsupportedProtocol(f"a redirect to {location!r} leaves https")
