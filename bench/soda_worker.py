"""Runs in the environment of soda-core, and imports nothing of ours.

python soda_worker.py HOST PORT USER PASSWORD DATABASE: for each line that it reads it scans once whether the
children's references exist, and writes how many do not.
"""

from __future__ import annotations

import sys

from soda.scan import Scan

_CHECKS = """
checks for child:
  - values in (parent_id) must exist in parent (id)
"""


def main() -> None:
    host, port, user, password, database = sys.argv[1:]
    source = f"""
data_source bench:
  type: postgres
  host: {host}
  port: "{port}"
  username: {user}
  password: "{password}"
  database: {database}
  schema: public
"""
    print("ready", flush=True)
    for _ in sys.stdin:
        scan = Scan()
        scan.disable_telemetry()
        scan.set_data_source_name("bench")
        scan.set_scan_definition_name("bench")
        scan.add_configuration_yaml_str(source)
        scan.add_sodacl_yaml_str(_CHECKS)
        scan.execute()
        (check,) = scan.get_scan_results()["checks"]
        print(round(check["diagnostics"]["value"]), flush=True)


main()
