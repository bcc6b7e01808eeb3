"""Panels of one value, of lines over time, and of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as style
from grafana_foundation_sdk.models import dashboard as model

from grafana.words import NOTHING, PASSED, palette, thresholds

AnyPanel: TypeAlias = Builder[model.Panel]

SOURCE = style.DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT = "locale"  # every digit: 1,204 rows are not 1.2 K


@dataclass(frozen=True, kw_only=True)
class Spot:
    """What every panel has: where it is (in Grafana's grid), what it says, where it leads."""

    at: tuple[int, int, int, int]
    title: str
    description: str
    links: Sequence[dashboard.DashboardLink] = ()

    @property
    def grid(self) -> model.GridPos:
        """The place on the grid; `at` is x, y, width, height."""
        x, y, width, height = self.at
        return model.GridPos(x=x, y=y, w=width, h=height)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How values look.

    `missing` is what stands for no value, which is never nothing; `by_name` colours series by their names.
    """

    unit: str = COUNT
    decimals: int | None = None
    missing: str = "unknown"
    thresholds: dashboard.ThresholdsConfig = field(default_factory=lambda: thresholds((0, PASSED)))
    mappings: Sequence[model.ValueMapping] = (NOTHING,)
    by_name: Mapping[str, dashboard.ThresholdsConfig] = field(default_factory=dict)


def _color(mode: model.FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)


def now(expression: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """Ask for the present value."""
    return prometheus.Dataquery().expr(expression).instant().legend_format(legend).ref_id(ref)


def over_time(expression: str, legend: str, ref: str = "A") -> prometheus.Dataquery:
    """Ask for the values of the chosen time."""
    return prometheus.Dataquery().expr(expression).range().legend_format(legend).ref_id(ref)


def big(
    spot: Spot,
    query: prometheus.Dataquery | Sequence[prometheus.Dataquery],
    look: Look,
    *,
    text: style.BigValueTextMode = style.BigValueTextMode.VALUE,
    filled: bool = False,
) -> stat.Panel:
    """Show one value of each query, large; `filled` colours the whole panel."""
    color = style.BigValueColorMode.BACKGROUND_SOLID if filled else style.BigValueColorMode.VALUE
    panel = (
        stat.Panel()
        .title(spot.title)
        .description(spot.description)
        .grid_pos(spot.grid)
        .links(list(spot.links))
        .datasource(SOURCE)
        .targets([query] if isinstance(query, prometheus.Dataquery) else list(query))
        .unit(look.unit)
        .no_value(look.missing)
        .thresholds(look.thresholds)
        .mappings(list(look.mappings))
        .color_scheme(_color(model.FieldColorModeId.THRESHOLDS))
        .graph_mode(style.BigValueGraphMode.NONE)
        .color_mode(color)
        .justify_mode(style.BigValueJustifyMode.CENTER)
        .text_mode(text)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    )
    for name, steps in look.by_name.items():
        panel.override_by_name(name, [model.DynamicConfigValue(id_val="thresholds", value=steps.build())])
    return panel if look.decimals is None else panel.decimals(look.decimals)


@dataclass(frozen=True, kw_only=True)
class Lines:
    """How lines look.

    `limit` is drawn across, `colors` go by series, `dashed` is a query. The axis ends at `top`, or beyond the
    greatest value, but not below `least_top`.
    """

    unit: str = COUNT
    stacked: bool = False
    steps: bool = True
    bars: bool = False
    colors: Mapping[str, str] = field(default_factory=dict)
    limit: tuple[float, str] | None = None
    top: float | None = None
    least_top: float = 1
    dashed: str = ""
    missing: str = "unknown"


def lines(spot: Spot, queries: Sequence[prometheus.Dataquery], look: Lines) -> timeseries.Panel:
    """Show how values went on; counts go in steps."""
    panel = (
        timeseries.Panel()
        .title(spot.title)
        .description(spot.description)
        .grid_pos(spot.grid)
        .links(list(spot.links))
        .datasource(SOURCE)
        .unit(look.unit)
        .min(0)
        .no_value(look.missing)
        .color_scheme(_color(model.FieldColorModeId.PALETTE_CLASSIC))
        .axis_soft_max(look.least_top)
        .draw_style(style.GraphDrawStyle.BARS if look.bars else style.GraphDrawStyle.LINE)
        .line_width(1 if look.stacked or look.bars else 2)
        .line_interpolation(
            style.LineInterpolation.STEP_AFTER if look.steps else style.LineInterpolation.LINEAR
        )
        .fill_opacity(60 if look.stacked or look.bars else 8)
        .show_points(style.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(style.LegendDisplayMode.LIST)
            .placement(style.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions().mode(style.TooltipDisplayMode.MULTI).sort(style.SortOrder.DESCENDING)
        )
    )
    for query in queries:
        panel.with_target(query)
    if look.stacked or look.bars:
        panel.stacking(common.StackingConfig().mode(style.StackingMode.NORMAL).group("A"))
    if look.top is not None:
        panel.max(look.top)
    if look.limit is not None:
        _draw_limit(panel, *look.limit)
    for name, properties in palette(look.colors):
        panel.override_by_name(name, properties)
    if look.dashed:
        dashes = {"fill": "dash", "dash": [8, 6]}
        panel.override_by_query(
            look.dashed,
            [
                model.DynamicConfigValue(id_val="custom.lineStyle", value=dashes),
                model.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
            ],
        )
    return panel


def _draw_limit(panel: timeseries.Panel, value: float, color: str) -> None:
    steps = [model.Threshold(value=None, color="transparent"), model.Threshold(value=value, color=color)]
    panel.thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
    panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(style.GraphThresholdsStyleMode.DASHED))
    panel.axis_soft_max(value * 1.1)


def bars(
    spot: Spot, queries: Sequence[prometheus.Dataquery], colors: dashboard.ThresholdsConfig
) -> bargauge.Panel:
    """Compare present values, one bar each."""
    panel = (
        bargauge.Panel()
        .title(spot.title)
        .description(spot.description)
        .grid_pos(spot.grid)
        .links(list(spot.links))
        .datasource(SOURCE)
        .unit(COUNT)
        .min(0)
        .no_value("none")
        .thresholds(colors)
        .mappings([])
        .color_scheme(_color(model.FieldColorModeId.THRESHOLDS))
        .display_mode(style.BarGaugeDisplayMode.BASIC)
        .value_mode(style.BarGaugeValueMode.TEXT)
        .name_placement(style.BarGaugeNamePlacement.TOP)
        .text(common.VizTextDisplayOptions().title_size(13).value_size(18))
        .orientation(style.VizOrientation.HORIZONTAL)
        .show_unfilled(True)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    )
    for query in queries:
        panel.with_target(query)
    return panel
