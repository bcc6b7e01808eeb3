"""The dashboards as code: `python -m grafana` writes dashboards/*.json.

One module a dashboard; `promql` has the queries' common parts, `panels` and `tables` the kinds of panels,
`words` the colours and the words that go with them, `frame` what all dashboards share.
"""
