/** What Prometheus answered to the queries of one dashboard, as tests/grafana/recording.py writes it. */
import type { Dashboard, Panel } from '@grafana/schema';

/** A series of Prometheus: one sample, or samples over time; values are text. */
export type Series = {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
};

export type Target = {
  refId: string;
  expr: string;
  legendFormat?: string;
  format?: 'table';
  instant: boolean;
};

export type OurPanel = Omit<Panel, 'targets'> & { id: number; targets: Target[]; options: Record<string, unknown> };

export type Deployment = { at: number; title: string };

export type Recording = {
  dashboard: Omit<Dashboard, 'panels'> & { title: string; panels: OurPanel[] };
  /** The time that is shown, in Unix milliseconds. */
  from: number;
  to: number;
  /** The values of variables, as words to be shown. */
  variables: Record<string, string>;
  /** Answers by panel and query. */
  answers: Record<string, Record<string, Series[]>>;
  deployments: Deployment[];
};

declare global {
  interface Window {
    recording: Recording;
    /** Set when everything was drawn: what each panel shows. */
    drawn?: { title: string; text: string; values: number }[];
  }
}
