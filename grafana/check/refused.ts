/**
 * What the types must refuse. `@ts-expect-error` is an error itself when the line below it compiles, so this
 * file compiles only while every one of these mistakes is found.
 */
import type { OurDashboard } from './types';

type AnyPanel = OurDashboard['panels'][number];
type Stat = Extract<AnyPanel, { type: 'stat' }>;
type Lines = Extract<AnyPanel, { type: 'timeseries' }>;
type Table = Extract<AnyPanel, { type: 'table' }>;

declare const stat: Stat;
declare const lines: Lines;
declare const table: Table;
declare const dashboard: OurDashboard;

/** The way to write each of them right, so that it is the mistake alone that is refused. */
export const right: [OurDashboard, Stat, Lines, Table] = [
  { ...dashboard, editable: false },
  { ...stat, options: { ...stat.options, colorMode: 'background_solid' } },
  { ...lines, fieldConfig: { defaults: { unit: 's', custom: { lineWidth: 1 } }, overrides: [] } },
  { ...table, options: { ...table.options, cellHeight: 'sm' } },
];

// @ts-expect-error a setting that no dashboard has
export const setting: OurDashboard = { ...dashboard, refreshEvery: '30s' };
// @ts-expect-error a uid of somebody else
export const uid: OurDashboard = { ...dashboard, uid: 'overview' };
// @ts-expect-error no such word
export const word: Stat = { ...stat, options: { ...stat.options, colorMode: 'backdrop' } };
// @ts-expect-error an option of another panel
export const option: Stat = { ...stat, options: { ...stat.options, cellHeight: 'sm' } };
// @ts-expect-error no description
export const silent: Stat = { ...stat, description: undefined };
// @ts-expect-error no unit
export const unit: Lines = { ...lines, fieldConfig: { defaults: {}, overrides: [] } };
// @ts-expect-error a field setting that lines do not have
export const custom: Lines = { ...lines, fieldConfig: { defaults: { unit: 's', custom: { lineSize: 1 } }, overrides: [] } };
// @ts-expect-error a number as a word
export const width: Lines = { ...lines, fieldConfig: { defaults: { unit: 's', custom: { lineWidth: '1' } }, overrides: [] } };
// @ts-expect-error a data source that the reader cannot choose
export const source: Lines = { ...lines, datasource: { type: 'prometheus', uid: 'prometheus' } };
// @ts-expect-error a query without expression
export const query: Lines = { ...lines, targets: [{ refId: 'A', instant: true, range: false }] };
// @ts-expect-error a transformation that has other options
export const transformed: Table = { ...table, transformations: [{ id: 'merge', options: { byName: 'Time' } }] };
// @ts-expect-error a panel of no type
export const panel: AnyPanel = { ...stat, type: 'statistic' };
// @ts-expect-error an override that sets a width in words
export const override: Table = { ...table, fieldConfig: { defaults: { unit: 's' }, overrides: [{ matcher: { id: 'byName', options: 'For' }, properties: [{ id: 'custom.width', value: 'wide' }] }] } };
