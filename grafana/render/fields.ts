/** Applies transformations and field settings with Grafana's own code, as a running Grafana does. */
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  FieldConfigOptionsRegistry,
  getFieldDisplayValuesProxy,
  identityOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
  type DataFrame,
  type DataTransformerConfig,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type InterpolateFunction,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import type { OurPanel, Recording } from './recording';

export const theme = createTheme({ colors: { mode: 'dark' } });

standardTransformersRegistry.setInit(() =>
  [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map(transformation => ({
    id: transformation.id,
    name: transformation.name,
    transformation: () => Promise.resolve(transformation),
    editor: () => null,
    imageDark: '',
    imageLight: '',
  }))
);

const STANDARD = ['unit', 'min', 'max', 'decimals', 'noValue', 'thresholds', 'mappings', 'links', 'color'];

/** Returns the frames as a panel shows them. */
export async function prepared(panel: OurPanel, frames: DataFrame[], recording: Recording): Promise<DataFrame[]> {
  const transformations = (panel.transformations ?? []) as DataTransformerConfig[];
  const data = await lastValueFrom(transformDataFrame(transformations, frames));
  const fieldConfig = panel.fieldConfig as FieldConfigSource;
  const shown = applyFieldOverrides({
    data,
    fieldConfig,
    fieldConfigRegistry: registryFor(fieldConfig),
    replaceVariables: replacing(recording),
    theme,
  });
  cacheFieldDisplayNames(shown);
  return shown;
}

/** Puts in variables of the dashboard, and fields of the row that a link is in. */
export function replacing(recording: Recording): InterpolateFunction {
  return (text, scopedVars) => {
    const context = scopedVars?.__dataContext?.value as { frame: DataFrame; rowIndex?: number } | undefined;
    return text.replace(/\$\{(__data\.fields\.)?(\w+)(:percentencode)?\}/g, (whole, ofRow, name: string) => {
      if (!ofRow) {
        return recording.variables[name] ?? whole;
      }
      const fields = context && getFieldDisplayValuesProxy({ frame: context.frame, rowIndex: context.rowIndex ?? 0 });
      return fields?.[name] === undefined ? whole : percentEncoded(String(fields[name]));
    });
  };
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A registry of the settings in use; in Grafana each plugin brings its own. */
function registryFor(source: FieldConfigSource): FieldConfigOptionsRegistry {
  const used = [
    ...Object.keys(source.defaults.custom ?? {}),
    ...source.overrides.flatMap(rule => rule.properties.map(({ id }) => id))
      .filter(id => id.startsWith('custom.'))
      .map(id => id.slice('custom.'.length)),
  ];
  const item = (path: string, isCustom: boolean): FieldConfigPropertyItem => ({
    id: isCustom ? `custom.${path}` : path,
    path,
    name: path,
    isCustom,
    editor: () => null,
    override: () => null,
    process: identityOverrideProcessor,
    shouldApply: () => true,
  });
  return new FieldConfigOptionsRegistry(() => [
    ...STANDARD.map(path => item(path, false)),
    ...[...new Set(used)].map(path => item(path, true)),
  ]);
}
