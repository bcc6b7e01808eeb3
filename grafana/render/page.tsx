/** The page: one dashboard of window.recording on Grafana's grid, as it looks in Grafana's dark theme. */
import { ThemeContext, type DataFrame } from '@grafana/data';
import { GlobalStyles, InlineLabel, PanelChrome, PortalContainer, Stack, Text } from '@grafana/ui';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { prepared, theme } from './fields';
import { framesOf } from './frames';
import { contentOf } from './panels';
import type { OurPanel, Recording } from './recording';

const GAP = 8;
const ROW = 30;
const HEADER = 96;
const MARGIN = 16;

type Prepared = { panel: OurPanel; frames: DataFrame[] };

function Board({ recording, panels, width }: { recording: Recording; panels: Prepared[]; width: number }) {
  const column = (width - 2 * MARGIN + GAP) / 24;
  const bottom = Math.max(...panels.map(({ panel }) => (panel.gridPos?.y ?? 0) + (panel.gridPos?.h ?? 0)));
  return (
    <div data-board style={{ position: 'relative', width, height: HEADER + bottom * (ROW + GAP) + MARGIN }}>
      <Header recording={recording} />
      {panels.map(({ panel, frames }) => {
        const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
        const size = { width: w * column - GAP, height: h * (ROW + GAP) - GAP };
        const place = { left: MARGIN + x * column, top: HEADER + y * (ROW + GAP) };
        return (
          <div key={panel.id} data-panel={panel.id} style={{ position: 'absolute', ...place, ...size }}>
            <PanelChrome title={panel.title} description={panel.description} width={size.width} height={size.height}>
              {(width: number, height: number) => contentOf({ panel, frames, recording, width, height })}
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}

function Header({ recording: { dashboard, variables, from, to } }: { recording: Recording }) {
  const labels = (dashboard.templating?.list ?? []).map(({ name, label }) => [label ?? name, variables[name] ?? 'All']);
  const clock = (at: number) => new Date(at).toISOString().slice(11, 19);
  return (
    <div style={{ padding: MARGIN, paddingTop: 12 }}>
      <Stack direction="column" gap={1}>
        <Stack justifyContent="space-between">
          <Text element="h1" variant="h4">
            {dashboard.title}
          </Text>
          <Text color="secondary">
            {clock(from)} to {clock(to)} UTC
          </Text>
        </Stack>
        <Stack gap={2}>
          {labels.map(([label, value]) => (
            <Stack key={label} gap={0}>
              <InlineLabel width="auto">{label}</InlineLabel>
              <InlineLabel width="auto" transparent>
                {value}
              </InlineLabel>
            </Stack>
          ))}
        </Stack>
      </Stack>
    </div>
  );
}

/** Says what was drawn, once everything is: for who looks at the page from outside. */
function useReport(panels: Prepared[]) {
  useEffect(() => {
    const timer = setTimeout(() => {
      window.drawn = panels.map(({ panel, frames }) => ({
        title: panel.title ?? '',
        text: document.querySelector<HTMLElement>(`[data-panel="${panel.id}"]`)?.innerText ?? '',
        values: frames.reduce((sum, frame) => sum + frame.length, 0),
      }));
    }, 2000);
    return () => clearTimeout(timer);
  }, [panels]);
}

function Page({ recording }: { recording: Recording }) {
  const [panels, setPanels] = useState<Prepared[]>([]);
  useReport(panels);
  useEffect(() => {
    const preparing = recording.dashboard.panels.map(async panel => ({
      panel,
      frames: await prepared(panel, framesOf(panel, recording.answers[panel.id] ?? {}), recording),
    }));
    void Promise.all(preparing).then(setPanels);
  }, [recording]);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      {panels.length > 0 && <Board recording={recording} panels={panels} width={window.innerWidth} />}
    </ThemeContext.Provider>
  );
}

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page recording={window.recording} />
    </StrictMode>
  );
}
