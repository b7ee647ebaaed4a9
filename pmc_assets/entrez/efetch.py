"""The client of EFetch: batches, rate, retries within a budget, secrets kept. What the records say stays out."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
import stamina
from urllib3.exceptions import NewConnectionError

from pmc_assets.entrez.answers import EFetchRefused, EFetchUnavailable, cleared, read_answer
from pmc_assets.entrez.rate import RateGate
from pmc_assets.http_faults import TransientFault

NCBI_URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
TOOL = "pmc_assets"
PMIDS_PER_REQUEST = 200
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
REQUEST_TIMEOUT_S = 300.0
RETRY_BUDGET_S = 300.0
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 20.0
FIRST_CONTACT_ATTEMPTS = 3
MAX_ANSWER_BYTES = 256 * 2**20
_WRONG_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client waits, in s: `retry_budget_s` bounds what one client loses to faults in all."""

    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    request_s: float = REQUEST_TIMEOUT_S
    retry_budget_s: float = RETRY_BUDGET_S
    first_backoff_s: float = FIRST_BACKOFF_S


@dataclass
class EFetch:
    """EFetch of PubMed at `base_url` ("" is off), asked at the rate of `gate`.

    Requests are POSTs with key and e-mail address in the body, so that no URL holds them; messages are cleared of them.
    """

    base_url: str
    gate: RateGate
    api_key: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    timeouts: Timeouts = Timeouts()
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        self.request_count = 0
        self._secrets = (self.api_key, self.email)
        self._lost_s = 0.0
        self._failed_contacts = 0
        self._has_answered = False
        self._session = requests.Session()
        self._session.headers["User-Agent"] = TOOL + (f" (mailto:{self.email})" if self.email else "")

    @property
    def is_off(self) -> bool:
        return not self.base_url

    def fetch(self, pmids: Sequence[int]) -> Iterator[tuple[list[int], bytes]]:
        """Yield each batch of PMIDs with the PubmedArticleSet that answers it; its order says nothing.

        Raises: EFetchUnavailable once the budget is spent, EFetchRefused at once; batches yielded before stay good.
        """
        for batch in _batched(pmids, PMIDS_PER_REQUEST):
            yield batch, self._ask(batch)

    def _ask(self, pmids: list[int]) -> bytes:
        started = first_asked = asked = self.clock()
        budget_s = max(self.timeouts.retry_budget_s - self._lost_s, 0.001)
        try:
            for attempt in stamina.retry_context(
                on=self._backoff,
                attempts=1 if self.gate.is_down() else None,
                timeout=budget_s,
                wait_initial=self.timeouts.first_backoff_s,
                wait_jitter=self.timeouts.first_backoff_s,
                wait_max=min(LONGEST_BACKOFF_S, budget_s / 4),
            ):
                with attempt:
                    self.gate.wait()
                    asked = self.clock()
                    first_asked = asked if attempt.num == 1 else first_asked
                    body = self._post(pmids)
        except TransientFault as fault:
            self.gate.note_down()
            raise EFetchUnavailable(
                f"EFetch at {self.base_url} gave no answer in {self.clock() - started:.0f} s (last: {fault}): check "
                f"the network or PMC_EFETCH_URL (empty switches EFetch off), then rerun core/pubmed_records"
            ) from None
        except EFetchRefused as refusal:
            raise EFetchRefused(
                f"EFetch at {self.base_url} refuses ({refusal}): check PMC_EFETCH_URL and NCBI_API_KEY, "
                f"then rerun core/pubmed_records"
            ) from None
        self._lost_s += asked - first_asked
        self._has_answered = True
        self.gate.note_up()
        return body  # pyrefly: ignore[unbound-name]

    def _backoff(self, fault: Exception) -> bool | float:
        """Decide whether to ask again; a service that never answered is given up after a few attempts."""
        if not isinstance(fault, TransientFault):
            return False
        if isinstance(fault, NoContact) and not self._has_answered:
            self._failed_contacts += 1
            return self._failed_contacts < FIRST_CONTACT_ATTEMPTS
        if fault.retry_after_s is None:
            return True
        self.gate.pause(fault.retry_after_s)
        return fault.retry_after_s <= self.timeouts.retry_budget_s - self._lost_s and fault.retry_after_s

    def _post(self, pmids: list[int]) -> bytes:
        self.request_count += 1
        deadline = self.clock() + self.timeouts.request_s
        try:
            with self._session.post(
                self.base_url.rstrip("/") + "/efetch.fcgi",
                data=self._form(pmids),
                timeout=(self.timeouts.connect_s, self.timeouts.read_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, deadline)
        except _WRONG_URL as error:
            raise EFetchRefused(f"not usable: {error}") from None
        except requests.exceptions.RequestException as error:
            fault_class = NoContact if _is_no_contact(error) else TransientFault
            raise fault_class(cleared(f"{type(error).__name__}: {error}", self._secrets)) from None
        return read_answer(response.status_code, response.headers, body, datetime.now(UTC), self._secrets)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(2**16):
            body += chunk
            if self.clock() > deadline:
                raise TransientFault(f"the answer takes longer than {self.timeouts.request_s:.0f} s")
            if len(body) > MAX_ANSWER_BYTES:
                raise TransientFault(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        return bytes(body)

    def _form(self, pmids: list[int]) -> dict[str, str]:
        form = {"db": "pubmed", "retmode": "xml", "tool": TOOL, "id": ",".join(map(str, pmids))}
        given = {"api_key": self.api_key, "email": self.email}
        return form | {name: value for name, value in given.items() if value}


class NoContact(TransientFault):
    """No connection could be made."""


def _is_no_contact(error: requests.exceptions.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)


def _batched(pmids: Sequence[int], size: int) -> Iterator[list[int]]:
    remaining = iter(pmids)
    while batch := list(itertools.islice(remaining, size)):
        yield batch
