/**
 * What a dashboard of ours may be: Grafana's schema, made strict.
 *
 * The schema leaves a panel's options, field settings and queries open, for they belong to plugins; here each
 * type of panel that we use has those of its plugin. What the schema has as an enum is a word in JSON.
 */
import type {
  AnnotationQuery,
  Dashboard,
  DashboardLink,
  DataQuery,
  FieldConfig as AnyFieldConfig,
  GridPos,
  Panel,
  TableFieldOptions,
  ThresholdsConfig,
  ValueMapping,
  VariableModel,
} from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesField,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON has it: a string enum is one of its words. */
type Plain<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;

/** The data source that the reader has chosen. */
type Source = { type: 'prometheus'; uid: '${datasource}' };

/** A query of Grafana's Prometheus data source; its types are in a package that fits another React. */
type Query = Pick<DataQuery, 'refId'> & {
  expr: string;
  legendFormat?: string;
} & ({ instant: true; range: false; format?: 'table' } | { instant: false; range: true });

type Link = { title: string; url: string; targetBlank: boolean };

/** How one setting of a field is overridden, with the value that this setting takes. */
type Property<Custom> =
  | { id: 'unit' | 'noValue'; value: string }
  | { id: 'decimals'; value: number }
  | { id: 'links'; value: Link[] }
  | { id: 'mappings'; value: Plain<ValueMapping>[] }
  | { id: 'thresholds'; value: Plain<ThresholdsConfig> }
  | { id: 'color'; value: { mode: 'thresholds' } | { mode: 'fixed'; fixedColor: string } }
  | { [K in keyof Custom & string]-?: { id: `custom.${K}`; value: Plain<NonNullable<Custom[K]>> } }[keyof Custom & string];

type Fields<Custom> = {
  defaults: Plain<Omit<AnyFieldConfig, 'custom' | 'links'>> & { unit: string; custom?: Plain<Partial<Custom>> };
  overrides: { matcher: { id: 'byName' | 'byFrameRefID'; options: string }; properties: Property<Custom>[] }[];
};

type Transformation =
  | { id: 'merge'; options: Record<string, never> }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, true>;
        includeByName: Record<string, never>;
        indexByName: Record<string, number>;
        renameByName: Record<string, string>;
      };
    };

type Common = Pick<Panel, 'transparent'> & {
  id: number;
  title: string;
  description: string;
  gridPos: GridPos;
  datasource: Source;
  targets: Query[];
  links: Plain<DashboardLink>[];
};

type Kind<Type extends string, Options, Custom> = Common & {
  type: Type;
  options: Plain<Options>;
  fieldConfig: Fields<Custom>;
};

type Stat = Kind<'stat', StatOptions, Record<never, never>>;
type Bars = Kind<'bargauge', BarGaugeOptions, Record<never, never>>;
type Lines = Kind<'timeseries', TimeSeriesOptions, TimeSeriesField>;
type Table = Kind<'table', TableOptions, TableFieldOptions & { width: number }> & {
  transformations: Transformation[];
};

/** Deployments: the schema does not know what the Prometheus data source adds to an annotation query. */
type Annotation = Pick<AnnotationQuery, 'name' | 'enable' | 'hide' | 'iconColor'> & {
  datasource: Source;
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};

type Variable = Plain<VariableModel> & { label: string };

export type OurDashboard = Plain<
  Pick<
    Dashboard,
    'schemaVersion' | 'timezone' | 'graphTooltip' | 'fiscalYearStartMonth' | 'time' | 'refresh' | 'links'
  >
> & {
  uid: `pgvigil-${string}`;
  title: string;
  description: string;
  tags: string[];
  editable: false;
  panels: (Stat | Bars | Lines | Table)[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
};
