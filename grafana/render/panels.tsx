/** Draws a panel of each type with Grafana's own components. */
import {
  dateTime,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
  type DataFrame,
  type DisplayValueAlignmentFactors,
  type FieldConfigSource,
  type FieldDisplay,
} from '@grafana/data';
import type {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  ReduceDataOptions,
  TableSortByFieldState,
  VizLegendOptions,
  VizTextDisplayOptions,
} from '@grafana/schema';
import {
  BarGauge,
  BigValue,
  TimeSeries,
  VizRepeater,
  type BigValueColorMode,
  type BigValueGraphMode,
  type BigValueJustifyMode,
  type BigValueTextMode,
  type UPlotConfigBuilder,
  type VizRepeaterRenderValueProps,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import type { ReactNode } from 'react';
import { replacing, theme } from './fields';
import type { Deployment, OurPanel, Recording } from './recording';

export type Size = { width: number; height: number };
type Drawing = Size & { panel: OurPanel; frames: DataFrame[]; recording: Recording };
type Value = VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>;

/** Returns what is inside of a panel's frame. */
export function contentOf(drawing: Drawing): ReactNode {
  switch (drawing.panel.type) {
    case 'stat':
      return <BigValues {...drawing} />;
    case 'bargauge':
      return <Bars {...drawing} />;
    case 'timeseries':
      return <Lines {...drawing} />;
    case 'table':
      return <Rows {...drawing} />;
    default:
      throw new Error(`no way to draw a panel of type ${drawing.panel.type}`);
  }
}

function valuesOf({ panel, frames, recording }: Drawing): FieldDisplay[] {
  return getFieldDisplayValues({
    data: frames,
    fieldConfig: panel.fieldConfig as FieldConfigSource,
    reduceOptions: panel.options.reduceOptions as ReduceDataOptions,
    replaceVariables: replacing(recording),
    theme,
  });
}

function BigValues(drawing: Drawing) {
  const { options } = drawing.panel;
  const render = ({ value, width, height, alignmentFactors, count }: Value) => (
    <BigValue
      value={value.display}
      width={width}
      height={height}
      count={count}
      alignmentFactors={alignmentFactors}
      colorMode={options.colorMode as BigValueColorMode}
      graphMode={options.graphMode as BigValueGraphMode}
      justifyMode={options.justifyMode as BigValueJustifyMode}
      textMode={options.textMode as BigValueTextMode}
      theme={theme}
    />
  );
  return repeated(drawing, render, VizOrientation.Auto, true);
}

function Bars(drawing: Drawing) {
  const { options } = drawing.panel;
  const render = ({ value, width, height, alignmentFactors }: Value) => (
    <BarGauge
      value={value.display}
      field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
      width={width}
      height={height}
      orientation={VizOrientation.Horizontal}
      alignmentFactors={alignmentFactors}
      displayMode={options.displayMode as BarGaugeDisplayMode}
      namePlacement={options.namePlacement as BarGaugeNamePlacement}
      text={options.text as VizTextDisplayOptions}
      showUnfilled={Boolean(options.showUnfilled)}
      theme={theme}
    />
  );
  return repeated(drawing, render, VizOrientation.Horizontal, false);
}

function repeated(drawing: Drawing, render: (value: Value) => React.JSX.Element, orientation: VizOrientation, autoGrid: boolean) {
  return (
    <VizRepeater
      source={drawing.frames}
      getValues={() => valuesOf(drawing)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={render}
      renderCounter={0}
      width={drawing.width}
      height={drawing.height}
      orientation={orientation}
      autoGrid={autoGrid}
      minVizHeight={16}
      maxVizHeight={300}
    />
  );
}

function Lines({ panel, frames, recording, width, height }: Drawing) {
  const range = { from: dateTime(recording.from), to: dateTime(recording.to) };
  if (frames.length === 0) {
    return <Nothing panel={panel} />;
  }
  return (
    <TimeSeries
      frames={frames}
      timeRange={{ ...range, raw: range }}
      timeZone="utc"
      legend={panel.options.legend as VizLegendOptions}
      width={width}
      height={height}
      options={panel.options}
    >
      {(builder: UPlotConfigBuilder) => {
        builder.addHook('draw', plot => markDeployments(plot, recording.deployments));
        return null;
      }}
    </TimeSeries>
  );
}

type Plot = { ctx: CanvasRenderingContext2D; bbox: { left: number; top: number; width: number; height: number }; valToPos: (value: number, scale: string, canvas: boolean) => number };

/** Draws annotations; Grafana's own plugin for them is in no package. */
function markDeployments({ ctx, bbox, valToPos }: Plot, deployments: Deployment[]) {
  ctx.save();
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.visualization.getColorByName('blue');
  ctx.fillStyle = ctx.strokeStyle;
  ctx.setLineDash([5, 4]);
  for (const { at } of deployments) {
    const x = valToPos(at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) {
      continue;
    }
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + bbox.height - 8);
    ctx.lineTo(x - 5, bbox.top + bbox.height);
    ctx.lineTo(x + 5, bbox.top + bbox.height);
    ctx.fill();
  }
  ctx.restore();
}

function Rows({ panel, frames, width, height }: Drawing) {
  const [frame] = frames;
  if (!frame || frame.length === 0) {
    return <Nothing panel={panel} />;
  }
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      sortBy={panel.options.sortBy as TableSortByFieldState[]}
      fieldConfig={panel.fieldConfig as FieldConfigSource}
      cellHeight={panel.options.cellHeight as never}
      enableVirtualization={false}
    />
  );
}

function Nothing({ panel }: { panel: OurPanel }) {
  return <div style={{ color: theme.colors.text.secondary, textAlign: 'center' }}>{panel.fieldConfig?.defaults.noValue}</div>;
}
