"""Tables: one row a set of labels, and a column for each label or query that is worth one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, prometheus, table
from grafana_foundation_sdk.models import common as style
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.panels import COUNT, SOURCE, Spot


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: a label of the series, or what `query` gives for them.

    `link` is where a click leads, `words` how values are said and coloured, `colors` how numbers are
    coloured; `width` is in pixels.
    """

    title: str
    label: str = ""
    query: str = ""
    unit: str = ""
    decimals: int | None = None
    width: int | None = None
    link: str = ""
    words: Sequence[model.ValueMapping] = ()
    colors: dashboard.ThresholdsConfig | None = None
    missing: str = "\N{EN DASH}"


def listing(
    spot: Spot,
    columns: Sequence[Column],
    *,
    sort: Sequence[tuple[str, bool]],
    empty: str,
    hidden: Sequence[str] = (),
) -> table.Panel:
    """Show series as rows.

    `sort` names columns, True for the greatest first. `empty` is said when there is no row. `hidden` are
    labels of the series that get no column.
    """
    panel = (
        table.Panel()
        .title(spot.title)
        .description(spot.description)
        .grid_pos(spot.grid)
        .links(list(spot.links))
        .datasource(SOURCE)
        .unit(COUNT)
        .no_value(empty)
        .cell_height(style.TableCellHeight.SM)
        .show_header(True)
        .sort_by([common.TableSortByFieldState().display_name(name).desc(desc) for name, desc in sort])
    )
    asked = [column for column in columns if column.query]
    refs = {column.title: chr(ord("A") + index) for index, column in enumerate(asked)}
    for column in asked:
        panel.with_target(
            prometheus.Dataquery()
            .expr(column.query)
            .instant()
            .format(PromQueryFormat.TABLE)
            .ref_id(refs[column.title])
        )
    # As Grafana names them: by the query, when there are several.
    fields = {
        column.title: column.label or (f"Value #{refs[column.title]}" if len(asked) > 1 else "Value")
        for column in columns
    }
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": dict.fromkeys(["Time", *hidden], True),
                "includeByName": {},
                "indexByName": {name: index for index, name in enumerate(fields.values())},
                "renameByName": {name: title for title, name in fields.items()},
            },
        )
    )
    for column in columns:
        panel.override_by_name(column.title, _looks(column))
    return panel


def _looks(column: Column) -> list[model.DynamicConfigValue]:
    looks: dict[str, object] = {}
    if column.unit:
        looks["unit"] = column.unit
    if column.decimals is not None:
        looks["decimals"] = column.decimals
    if column.width is not None:
        looks["custom.width"] = column.width
    if column.link:
        looks["links"] = [{"title": f"Open {column.title}", "url": column.link, "targetBlank": True}]
    if column.words:
        looks["mappings"] = list(column.words)
    if column.colors is not None:
        looks["thresholds"] = column.colors.build()
    if column.words or column.colors is not None:
        looks["color"] = {"mode": "thresholds"}
        looks["custom.cellOptions"] = {"type": "color-text"}
    if column.query:
        looks["noValue"] = column.missing
        looks["custom.align"] = "right" if not column.words else "left"
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in looks.items()]
