"""The web configuration file: what it may say, and what is said of one that cannot be used."""

from __future__ import annotations

import re
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from pgvigil.errors import ConfigError
from pgvigil.web import toolkit
from pgvigil.web.security import LiveSecurity, Security
from pgvigil.web.tls import tls_of
from tests.background import program
from tests.web.guarded import HASHED, USERS, Authority, configuration, tls

SECRET = "s3kr3t-w0rd"
PAIR = "  cert_file: server.pem\n  key_file: server.key\n"

# One of each setting that the format has.
EVERYTHING = f"""
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example.org]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: frame-ancestors 'none'
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1; mode=block
    Strict-Transport-Security: max-age=86400
basic_auth_users:
  alice: {HASHED}
  bob: $2y$10$abcdefghijklmnopqrstuuVW3aEhmUDuiXOjJFEYnwhRyTnKUpLXq
rate_limit: {{interval: 100ms, burst: 20}}
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """A directory with a certificate, its key, and their authority."""
    authority.write(tmp_path)
    authority.file(tmp_path, "ca.pem")
    return tmp_path


def complaint(folder: Path, text: str) -> str:
    """Return what is said of a web configuration that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        Security.of(configuration(folder, file=text), {"SECRET": SECRET})
    message = str(caught.value)
    assert all(line.startswith(str(folder / "web.yml")) for line in message.splitlines())
    return message.replace(f"{folder}/", "")


def test_everything_that_the_format_has_is_understood(folder: Path) -> None:
    security = Security.of(configuration(folder, file=EVERYTHING))
    assert security.rules.users.keys() == {"alice", "bob"}
    assert not security.rules.anonymous_reads
    assert security.tls is not None
    assert security.tls.context.verify_mode is ssl.CERT_REQUIRED
    assert security.tls.allowed_names == {"prometheus.example.org"}
    assert security.headers["Strict-Transport-Security"] == "max-age=86400"
    assert security.limit is not None


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "tls_server_config:\nbasic_auth_users:\nhttp_server_config:\n",
        "tls_server_config: {}\nbasic_auth_users: {}",
        "http_server_config: {http2: false}",
        "rate_limit: {interval: 0, burst: 1}",
    ],
)
def test_what_is_left_out_is_off(folder: Path, text: str) -> None:
    security = Security.of(configuration(folder, file=text))
    assert (security.tls, security.limit) == (None, None)
    assert security.rules.anonymous_reads


def test_tls_is_1_2_at_least_and_1_1_is_no_choice(folder: Path) -> None:
    found = Security.of(configuration(folder, file=tls(PAIR))).tls
    assert found is not None
    assert found.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert found.context.verify_mode is ssl.CERT_NONE
    assert "expected 'TLS12' or 'TLS13', got 'TLS11'" in complaint(
        folder, tls(PAIR, "  min_version: TLS11\n")
    )


def test_suites_of_tls_1_3_alone_leave_no_older_version(folder: Path) -> None:
    found = Security.of(
        configuration(folder, file=tls(PAIR, "  cipher_suites: [TLS_AES_128_GCM_SHA256]"))
    ).tls
    assert found is not None
    assert found.context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_every_suite_has_a_name_that_openssl_knows(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for name in toolkit.CIPHERS.values():
        context.set_ciphers(name)
        assert name in {cipher["name"] for cipher in context.get_ciphers()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "web.yml: is empty: expected tls_server_config or basic_auth_users, or {} for neither"),
        ("# nothing", "web.yml: is empty"),
        ("[1]", "web.yml:1: expected a mapping"),
        ("a: [", "web.yml:1: is not valid YAML"),
        (
            "\ntls_server_confg: {}",
            "web.yml:2: tls_server_confg: unknown key; did you mean 'tls_server_config'?",
        ),
        (
            tls("  cert_fil: a\n"),
            "web.yml:2: tls_server_config.cert_fil: unknown key; did you mean 'cert_file'?",
        ),
        (
            tls("  cert_file: server.pem\n"),
            "web.yml:1: tls_server_config: one of key and key_file is missing",
        ),
        (tls("  key_file: server.key\n"), "one of cert and cert_file is missing"),
        (tls("  min_version: TLS13\n"), "one of cert and cert_file is missing"),
        (tls(PAIR, "  cert: x\n"), "either cert or cert_file, not both"),
        (tls(PAIR, "  key: x\n"), "either key or key_file, not both"),
        (tls(PAIR, "  min_version: TLS13\n  max_version: TLS12\n"), "min_version is above max_version"),
        (
            tls(PAIR, "  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"),
            "cipher_suites names none that is of TLS 1.2",
        ),
        (
            tls(PAIR, "  cipher_suites: [RC4]\n"),
            "web.yml:4: tls_server_config.cipher_suites[0]: unknown cipher suite RC4",
        ),
        (tls(PAIR, "  curve_preferences: [P256]\n"), "curve_preferences[0]: expected 'X25519'"),
        (tls(PAIR, "  curve_preferences: [X25519, CurveP256]\n"), "held to one curve"),
        (tls(PAIR, "  client_auth_type: RequestClientCert\n"), "nobody verified"),
        (tls(PAIR, "  client_auth_type: RequireAnyClientCert\n"), "nobody verified"),
        (tls(PAIR, "  client_auth_type: Whatever\n"), "client_auth_type: expected"),
        (tls(PAIR, "  client_auth_type: RequireAndVerifyClientCert\n"), "needs client_ca or client_ca_file"),
        (tls(PAIR, "  client_ca_file: ca.pem\n"), "client_ca has no effect without client_auth_type"),
        (
            tls(
                PAIR,
                "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n"
                "  client_allowed_sans: [a]\n",
            ),
            "client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert",
        ),
        (
            tls("  cert_file: no.pem\n  key_file: server.key\n"),
            "web.yml:2: tls_server_config.cert_file: no.pem cannot be read: No such file",
        ),
        (
            tls("  cert_file: server.pem\n  key_file: no.key\n"),
            "web.yml:3: tls_server_config.key_file: no.key cannot be read: No such file",
        ),
        (
            tls("  cert_file: server.key\n  key_file: server.key\n"),
            "cert_file: holds no certificate in PEM format",
        ),
        (
            tls("  cert_file: server.pem\n  key_file: ca.pem\n"),
            "key_file: holds no private key in PEM format",
        ),
        (
            tls("  cert_file: ca.pem\n  key_file: server.key\n"),
            "key_file: does not belong to the certificate",
        ),
        (
            tls("  cert: nonsense\n  key_file: server.key\n"),
            "web.yml:2: tls_server_config.cert: holds no certificate",
        ),
        (
            tls(PAIR, "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: server.key\n"),
            "client_ca_file: holds no certificate in PEM format",
        ),
        ("basic_auth_users: {alice: plain}", "web.yml:1: basic_auth_users.alice: expected a bcrypt hash"),
        ("basic_auth_users: {alice: $2y$10$abc}", "expected a bcrypt hash"),
        (f"basic_auth_users: {{alice: {HASHED.replace('$04$', '$03$')}}}", "a cost from 4 to 18"),
        (f"basic_auth_users: {{alice: {HASHED.replace('$04$', '$19$')}}}", "a cost from 4 to 18"),
        (f"basic_auth_users: {{'a:b': {HASHED}}}", "expected a name without ':'"),
        (f"basic_auth_users: {{'': {HASHED}}}", "expected a name without ':'"),
        (USERS + USERS, "web.yml:2: basic_auth_users: duplicate key"),
        ("http_server_config: {headers: {Set-Cookie: a}}", "http_server_config.headers"),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}",
            "X-Frame-Options can be deny or sameorigin",
        ),
        ("http_server_config: {headers: {X-Content-Type-Options: sniff}}", "can be nosniff alone"),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\nb: c"}}', "a character that no header may"),
        ("rate_limit: {interval: 1s}", "rate_limit.burst: is missing"),
        ("rate_limit: {interval: soon, burst: 1}", "rate_limit.interval: expected a duration"),
        ("rate_limit: {interval: 1s, burst: 0}", "rate_limit.burst"),
    ],
)
def test_a_complaint_says_where_and_what(folder: Path, text: str, expected: str) -> None:
    assert expected in complaint(folder, text)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_the_passphrase(folder: Path) -> None:
    key = load_pem_private_key((folder / "server.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET.encode()))
    (folder / "locked.key").write_bytes(locked)
    said = complaint(folder, tls("  cert_file: server.pem\n  key_file: locked.key\n"))
    assert "key_file: is encrypted: give one without a passphrase" in said


@pytest.mark.parametrize(
    "text",
    [
        f"basic_auth_users: {{alice: {SECRET}}}",
        f"basic_auth_users: {{alice: [{SECRET}]}}",
        f"basic_auth_users: {{alice: {{a: {SECRET}}}}}",
        f"basic_auth_users: {SECRET}",
        f"basic_auth_users: [{SECRET}]",
        "basic_auth_users: {alice: !env SECRET}",
        "basic_auth_users: !env SECRET",
        tls(f"  cert_file: server.pem\n  key: {SECRET}\n"),
        tls(f"  cert_file: server.pem\n  key: [{SECRET}]\n"),
        tls("  cert_file: server.pem\n  key: !env SECRET\n"),
        tls(f"  cert_file: server.pem\n  key: {SECRET}\n  nonsense: 1\n"),
    ],
)
def test_no_complaint_shows_a_secret(folder: Path, text: str) -> None:
    assert SECRET not in complaint(folder, text)


@pytest.mark.parametrize("text", ["basic_auth_users: {alice: 20251231}", tls("  cert: x\n  key: 20251231\n")])
def test_no_complaint_shows_a_secret_that_looks_like_a_number(folder: Path, text: str) -> None:
    assert "20251231" not in complaint(folder, text)


def test_certificates_may_stand_in_the_file_itself(folder: Path) -> None:
    def indented(name: str) -> str:
        return "".join(f"    {line}\n" for line in (folder / name).read_text().splitlines())

    text = tls(
        f"  cert: |\n{indented('server.pem')}  key: |\n{indented('server.key')}"
        f"  client_ca: |\n{indented('ca.pem')}  client_auth_type: VerifyClientCertIfGiven\n"
    )
    (folder / "web.yml").write_text(text)
    found = tls_of(toolkit.read(folder / "web.yml"))
    assert found is not None
    assert found.context.verify_mode is ssl.CERT_OPTIONAL
    assert len(found.context.get_ca_certs()) == 1


def test_secrets_may_come_from_outside_the_file(folder: Path) -> None:
    (folder / "hash").write_text(f"{HASHED}\n")
    text = "basic_auth_users: {alice: !file hash, bob: !env BOB}"
    security = Security.of(configuration(folder, file=text), {"BOB": HASHED})
    assert security.rules.users == {"alice": HASHED.encode(), "bob": HASHED.encode()}
    live = LiveSecurity(security)
    (folder / "hash").write_text("no hash any more")
    assert (live.look(), live.look()) == (None, False)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    config = configuration(tmp_path, "config_file: no.yml")
    with pytest.raises(ConfigError, match=r"no\.yml: cannot be read: No such file"):
        Security.of(config)


def test_representations_show_no_secret(folder: Path) -> None:
    security = Security.of(configuration(folder, file=EVERYTHING))
    file = toolkit.read(folder / "web.yml")
    assert HASHED not in repr(security) + str(file) + repr(file)


def test_what_changes_is_read_when_it_has_come_to_rest(folder: Path) -> None:
    live = LiveSecurity(Security.of(configuration(folder, file=tls(PAIR))))
    first = live.now
    assert [live.look() for _ in range(3)] == [None, None, None]
    other = trustme.CA().issue_cert("127.0.0.1")
    (folder / "server.pem").write_bytes(other.cert_chain_pems[0].bytes())
    assert live.look() is None
    # Half of a pair that is being replaced is never tried.
    (folder / "server.key").write_bytes(other.private_key_pem.bytes())
    assert [live.look() for _ in range(3)] == [None, True, None]
    assert live.now is not first


def test_what_is_read_of_a_configuration_of_before_does_not_undo_a_reload(folder: Path) -> None:
    old = Security.of(configuration(folder, file=USERS))
    newer = Security.of(configuration(folder, "anonymous: none", USERS))

    def slowly() -> Security:
        live.take(newer)
        return old

    live = LiveSecurity(replace(old, again=slowly))
    (folder / "web.yml").write_text("{}")
    assert [live.look(), live.look()] == [None, None]
    assert live.now is newer


def test_a_crash_while_reading_does_not_end_the_looking(folder: Path) -> None:
    def crash() -> Security:
        raise RuntimeError("nobody thought of that")

    good = Security.of(configuration(folder, file=USERS))
    live = LiveSecurity(replace(good, again=crash))
    (folder / "web.yml").write_text("{}")
    with capture_logs() as logs:
        assert [live.look() for _ in range(3)] == [None, False, False]
    assert [line["error"] for line in logs] == ["pgvigil itself failed: RuntimeError"]


def test_the_tool_of_prometheus_understands_what_we_understand(folder: Path) -> None:
    # Its version of the format has neither of these yet.
    newer = r"(?m)^  client_allowed_sans.*\n|^rate_limit.*\n"
    (folder / "web.yml").write_text(re.sub(newer, "", EVERYTHING))
    answer = subprocess.run(
        [program("promtool"), "check", "web-config", folder / "web.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer
    assert "SUCCESS" in answer.stdout + answer.stderr


def test_a_broken_file_changes_nothing_and_is_tried_again(folder: Path) -> None:
    live = LiveSecurity(Security.of(configuration(folder, file=tls(PAIR) + USERS)))
    good = live.now
    for broken in ("", "basic_auth_users: {alice: x}", tls("  cert_file: new.pem\n  key_file: new.key\n")):
        (folder / "web.yml").write_text(broken)
        assert [live.look() for _ in range(3)] == [None, False, False]
        assert live.now is good
    (folder / "web.yml").unlink()
    assert [live.look() for _ in range(3)] == [None, False, False]
    assert live.now is good
    # What it lacked comes, and is in a file that was not known before.
    (folder / "web.yml").write_text(broken)
    (folder / "new.key").write_bytes((folder / "server.key").read_bytes())
    assert [live.look() for _ in range(2)] == [None, False]
    (folder / "new.pem").write_bytes((folder / "server.pem").read_bytes())
    assert live.look() is True
    assert live.now is not good


EXAMPLES = (Path(__file__).parents[2] / "docs/howto/secure-the-web.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"(?ms)^```yaml\n(tls_server_config:.*?)^```", EXAMPLES))
def test_the_examples_of_the_documentation_are_understood(folder: Path, text: str) -> None:
    assert Security.of(configuration(folder, file=text)).tls is not None
