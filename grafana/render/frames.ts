/** Makes data frames of Prometheus' answers in the shapes that Grafana's data source gives them. */
import { createDataFrame, FieldType, type DataFrame, type FieldConfig } from '@grafana/data';
import type { OurPanel, Series, Target } from './recording';

/** Returns the frames of a panel, before its transformations. */
export function framesOf(panel: OurPanel, answers: Record<string, Series[]>): DataFrame[] {
  return panel.targets.flatMap(target => {
    const series = answers[target.refId] ?? [];
    return target.format === 'table'
      ? [tableOf(target, series, panel.targets.length > 1)]
      : series.map(one => lineOf(target, one));
  });
}

function tableOf(target: Target, series: Series[], several: boolean): DataFrame {
  const labels = [...new Set(series.flatMap(one => Object.keys(one.metric)))].sort();
  const samples = series.map(one => one.value ?? [0, 'NaN'] as [number, string]);
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: samples.map(([at]) => at * 1000) },
      ...labels.map(label => ({
        name: label,
        type: FieldType.string,
        values: series.map(one => one.metric[label] ?? ''),
      })),
      {
        name: several ? `Value #${target.refId}` : 'Value',
        type: FieldType.number,
        values: samples.map(([, value]) => Number(value)),
      },
    ],
  });
}

function lineOf(target: Target, series: Series): DataFrame {
  const samples = series.values ?? (series.value ? [series.value] : []);
  const config: FieldConfig = { displayNameFromDS: legendOf(target, series) };
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: samples.map(([at]) => at * 1000) },
      {
        name: 'Value',
        type: FieldType.number,
        labels: series.metric,
        config,
        values: samples.map(([, value]) => finite(Number(value))),
      },
    ],
  });
}

/** What is no number, such as a quantile of nothing, is a gap in Grafana's lines. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function legendOf(target: Target, { metric }: Series): string {
  if (!target.legendFormat) {
    return JSON.stringify(metric);
  }
  return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? '');
}
