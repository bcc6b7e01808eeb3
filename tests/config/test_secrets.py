"""What comes from outside the file, and every DSN, stays out of messages and representations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pgvigil.config import Config
from pgvigil.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "s3kr3t-w0rd"


class Talkative(BaseModel):
    """A plugin's settings that repeat in their objections what they were given."""

    model_config = ConfigDict(extra="forbid")

    token: str = ""
    number: int = 0
    refused: str = ""

    @field_validator("refused")
    @classmethod
    def _refuse(cls, value: str) -> str:
        if value:
            raise ValueError(f"refused: {value} is not right")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Talkative:
        if self.token:
            raise ValueError(f"the token {self.token!r} is not right")
        return self


@pytest.mark.parametrize(
    "text",
    [
        "targets: {a: {dsn: !env S, nonsense: 1}}",
        "targets: {a: {dsn: dbname=a, every: !env S}}",
        "targets: {a: {dsn: dbname=a, budget: {connections: !env S}}}",
        "targets: {a: {dsn: dbname=a, budget: !env S}}",
        "targets: {a: {dsn: dbname=a, zones: !file secret}}",
        "targets: {a: {dsn: dbname=a}}\nstate: !env S",
        "targets: {a: {dsn: dbname=a}}\nlog: {level: !env S}",
        "targets: {a: {dsn: dbname=a}}\nweb: {listen: !env [NOWHERE, s3kr3t-w0rd]}",
        f"targets: {{a: {{dsn: 'postgresql://u:{SECRET}@[::1'}}}}",
        f"targets: {{a: {{dsn: 'host=a password={SECRET} x'}}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nstate: mysql://u:{SECRET}@h/d",
        # Where a key was left out, a wrong kind was written, or YAML reads the beginning as its own.
        f"targets: {{a: {SECRET}}}",
        f"targets: {{a: {{dsn: [{SECRET}]}}}}",
        f"targets: {{a: {{dsn: *{SECRET}}}}}",
        f"targets: {{a: {{dsn: !{SECRET} x}}}}",
        f"targets: {{a: {{dsn: !{SECRET}!x y}}}}",
        f"targets: {{a: {{dsn: &{SECRET} x, zones: &{SECRET} []}}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {SECRET}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {{tokens: {SECRET}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {{tokens: {{ci: {SECRET}}}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {{tokens: {{ci: {{token: {SECRET}}}}}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {{tokens: {{ci: {{token: [{SECRET}]}}}}}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nnotify: {{alertmanagers: [{SECRET}]}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nnotify: {{alertmanagers: [{{url: a, token: [{SECRET}]}}]}}",
        f"targets: {{a: {{dsn: dbname=a}}}}\nnotify: {{alertmanagers: [{{url: a, token: {SECRET}€}}]}}",
        f'targets: {{a: {{dsn: dbname=a}}}}\nnotify: {{alertmanagers: [{{password: "{SECRET}\\n"}}]}}',
    ],
)
def test_no_complaint_shows_a_secret(
    complaint: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, tmp_path: object, text: str
) -> None:
    (tmp_path / "secret").write_text(SECRET)  # type: ignore[operator]
    assert SECRET not in complaint(text, S=SECRET)


@pytest.mark.parametrize(
    "web", ["{tokens: {ci: 20251231}}", "{tokens: {ci: {token: 20251231}}}", "{tokens: 20251231}"]
)
def test_no_complaint_shows_a_secret_that_looks_like_a_number(
    complaint: Callable[..., str], web: str
) -> None:
    said = complaint(f"targets: {{a: {{dsn: dbname=a}}}}\nweb: {web}")
    assert "got a number" in said
    assert "20251231" not in said


@pytest.mark.parametrize("key", ["number", "refused", "token"])
def test_no_complaint_about_a_plugins_settings_shows_a_secret(read: Callable[..., Config], key: str) -> None:
    config = read(f"targets:\n  a:\n    dsn: dbname=a\n    checks:\n      foo: {{{key}: !env S}}\n", S=SECRET)
    section = config.targets["a"].checks["foo"]
    with pytest.raises(ConfigError, match=r":5: targets\.a\.checks\.foo.*!env S") as caught:
        config.section(("targets", "a", "checks", "foo"), section, Talkative)
    assert SECRET not in str(caught.value)


def test_no_representation_shows_a_secret(read: Callable[..., Config]) -> None:
    config = read(
        "state: !env STATE\ntargets: {a: {dsn: !env DSN, checks: {foo: {token: !env S}}}}",
        STATE=f"postgresql+psycopg://u:{SECRET}@h/d",
        DSN=f"postgresql://u:{SECRET}@h/d",
        S=SECRET,
    )
    assert config.targets["a"].checks["foo"] == {"token": SECRET}
    assert SECRET not in repr(config)
    assert SECRET not in str(config)
    assert SECRET not in repr(config.__dict__)
    assert SECRET not in repr(config.__pydantic_private__)
