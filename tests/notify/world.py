"""A store, Alertmanagers and a clock, and the senders between them; nothing happens by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pgvigil.incident import State
from pgvigil.notify.alerts import Form, labels_of, severity_told
from pgvigil.notify.sender import Address, Sender
from pgvigil.store import Filter, Store
from tests.incident.life import START, run
from tests.notify.model import Counted, FakeClock, Identity, Model, identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from pgvigil.check import Finding, Outcome
    from pgvigil.incident import Incident

URL = "https://pgvigil.example.org"
RESEND = 60.0
HOLD = timedelta(hours=4)
EVERY = Filter(limit=10_000)


class World:
    """`names` are those of the Alertmanagers."""

    def __init__(self, *names: str, skew: timedelta = timedelta()) -> None:
        self.store = Store.open("sqlite://")
        self.clock = FakeClock(START)
        self.form = Form(URL, hold=HOLD)
        self.leads = True
        self.counts = Counted()
        self.models = {name: Model(lambda: self.clock.true + skew) for name in names or ("am",)}
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()

    def restart(self, **labels: str) -> None:
        """Begin with new senders, which know nothing but the store; and with other configured labels."""
        self.form = Form(URL, hold=HOLD, labels=labels)
        self.senders = {name: self.sender(name) for name in self.models}
        # What surely was not heard was known to the senders before: now it may have been.
        for name, model in self.models.items():
            model.may_have_got(self.noted(name))

    def sender(self, name: str) -> Sender:
        return Sender(
            self.store,
            Address(f"http://{name}:9093", f"{name}:9093", self.models[name]),
            self.form,
            RESEND,
            lambda: self.leads,
            self.counts,
            self.clock,
        )

    @property
    def model(self) -> Model:
        (only,) = self.models.values()
        return only

    def see(
        self, *found: Finding, subject: str = "public.t", confirm: int = 1, outcome: Outcome | None = None
    ) -> list[Incident]:
        """Record a run that ends now."""
        minutes = (self.clock.now() - START) / timedelta(minutes=1)
        one = run(*found, minutes=minutes, subject=subject, confirm=confirm, outcome=outcome)
        return list(self.store.record(one).incidents)

    def go_on(self, seconds: float = 10.0) -> None:
        """Let time pass, and the senders work."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end:
            pause = min(sender.turn() for sender in self.senders.values())
            self.clock.sleep(max(0.01, min(pause, end - self.clock.seconds)))

    def wanted(self) -> set[Identity]:
        """Return what ought to be firing: what is open and not muted."""
        return {
            identity(labels_of(one, self.form))
            for one in self.store.incidents(EVERY)
            if one.state is State.OPEN and severity_told(one, one.severity, self.clock.now())
        }

    def in_step(self) -> bool:
        """Tell whether every Alertmanager holds exactly what it ought to, and the store knows it."""
        return all(
            {identity(one) for one in model.firing()} == self.wanted() == self.noted(name)
            for name, model in self.models.items()
        )

    def noted(self, name: str) -> set[Identity]:
        """Return the labels of all that the store says an Alertmanager may hold."""
        key = f"http://{name}:9093"
        held = self.store.outbox.deliveries(key, self.store.outbox.delivered(key))
        return {identity(labels) for one in held for labels in one.labels}

    def firing(self, name: str = "am") -> list[Mapping[str, str]]:
        return self.models[name].firing()
