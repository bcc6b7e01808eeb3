"""The parts that queries are made of.

Every replica exposes the same state, under an instance of its own. `state` takes the replicas together before
anything is added up; `own` is for what each process says about itself.
"""

from __future__ import annotations

# What tells the replicas of one pgvigil apart: by Prometheus itself, and by its operator on Kubernetes.
REPLICA = "instance, pod, container, endpoint"

# Somebody has to do something about it: not a suspect, which may go by itself, and not muted.
LIVE = 'state=~"open|acknowledged"'
# It was confirmed, whoever has muted it.
CONFIRMED = 'state!="suspect"'

INCIDENT = "target, check, subject, code, severity, state"


_JOB = 'job=~"$job"'
_TARGET = 'target=~"$target"'
_INSTANCE = 'instance=~"$instance"'


def selector(metric: str, *matchers: str, **labels: str) -> str:
    """Select a metric of the chosen jobs and targets, by further matchers and labels."""
    return _select(metric, _JOB, _TARGET, *matchers, *(f'{name}="{value}"' for name, value in labels.items()))


def state(metric: str, *matchers: str, **labels: str) -> str:
    """Return what is known of the targets, the replicas taken together."""
    return f"max without ({REPLICA}) ({selector(metric, *matchers, **labels)})"


def anywhere(metric: str) -> str:
    """Return what the processes say of themselves, taken together: 1 when one of them says so."""
    return f"max without ({REPLICA}) ({_select(metric, _JOB)})"


def growth(metric: str, *matchers: str, over: str) -> str:
    """Return by how much a gauge of the targets has grown; rounded, for delta extrapolates."""
    return f"round(max without ({REPLICA}) (delta({selector(metric, *matchers)}[{over}])))"


def own(metric: str) -> str:
    """Select a metric that each process has for itself, and no target has."""
    return _select(metric, _JOB, _INSTANCE)


def work(metric: str) -> str:
    """Select a counter of work on the targets: only the process that leads does any."""
    return _select(metric, _JOB, _TARGET, _INSTANCE)


def _select(metric: str, *matchers: str) -> str:
    return f"{metric}{{{', '.join(matchers)}}}"


def rate(counter: str) -> str:
    """Return how fast a selected counter grows, a second."""
    return f"rate({counter}[$__rate_interval])"


def age(*matchers: str) -> str:
    """Return how long ago the last completed run of each subject ended, in seconds."""
    return f"(time() - {state('pgvigil_last_completed_timestamp_seconds', *matchers)})"


def lag(*matchers: str) -> str:
    """Return the age of each subject's last result in intervals of its check: above 3 it is overdue."""
    interval = state("pgvigil_interval_seconds", *matchers)
    return f"({age(*matchers)} / on (job, target, check) group_left () {interval})"


def fault_age(*matchers: str) -> str:
    """Return how long ago each incident was first seen, in seconds."""
    return f"(time() - {state('pgvigil_incident_first_seen_timestamp_seconds', *matchers)})"


def schema_of(vector: str) -> str:
    """Give each series the label `schema`: that of the table which its subject begins with."""
    return f'label_replace({vector}, "schema", "$1", "subject", `("(?:[^"]|"")*"|[^".]+)\\..*`)'


def or_zero(expression: str) -> str:
    """Return zero where an expression of one value has none."""
    return f"{expression} or vector(0)"
