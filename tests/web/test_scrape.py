"""A real Prometheus scrapes over TLS with a certificate of its own and a token, while certificates change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from pgvigil.embedded.server import free_port
from tests.background import home_of_a_server, program
from tests.prometheus import Prometheus
from tests.web.guarded import TOKENS, USERS, WITH_TOKENS, Authority, guarded, tls

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = (
    "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
    "  client_allowed_sans: [prometheus.example.org]\n"
)


def test_prometheus_misses_no_scrape_while_certificates_change(tmp_path: Path) -> None:
    authority = Authority()
    authority.file(tmp_path, "ca.pem")
    authority.write(tmp_path, "client", "prometheus.example.org")
    with guarded(tmp_path, WITH_TOKENS, tls(authority.write(tmp_path), CLIENTS) + USERS) as running:
        files = {name: (tmp_path / name).read_text() for name in ("ca.pem", "client.pem", "client.key")}
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": "pgvigil",
                    "scheme": "https",
                    "authorization": {"credentials": TOKENS["reader"]},
                    "tls_config": {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"},
                    "static_configs": [{"targets": [f"127.0.0.1:{running.web.port}"]}],
                }
            ],
        }
        with home_of_a_server({"prometheus.yml": yaml.safe_dump(config), **files}) as home:
            port = free_port()
            command = [
                program("prometheus"),
                f"--config.file={home.path}/prometheus.yml",
                f"--storage.tsdb.path={home.path}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ]
            prometheus = Prometheus(command, f"http://127.0.0.1:{port}", home)
            prometheus.start()
            try:
                prometheus.wait_for("pgvigil_sample == 1")
                for scrapes in range(2, 10, 2):
                    authority.write(tmp_path)
                    assert running.settle() is True
                    prometheus.wait_for(f"count_over_time(up[5m]) >= {scrapes}")
                assert set(prometheus.query("min_over_time(up[5m])").values()) == {1.0}
            finally:
                prometheus.stop()
