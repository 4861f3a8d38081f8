import { startDraw } from './draw/draw.ts';
import { showDevice } from './ui/device.ts';
import { byId } from './ui/dom.ts';
import { wireTabs } from './ui/tabs.ts';

/** Tabs that are loaded when they are first opened. */
const later: Record<string, () => Promise<() => void>> = {
  compare: async () => (await import('./compare/compare.ts')).startCompare,
  learn: async () => (await import('./learn/learn.ts')).startLearn,
};

startDraw((model) =>
  showDevice(
    model,
    byId('device', HTMLParagraphElement),
    byId('device-text', HTMLSpanElement),
    byId('notice', HTMLParagraphElement),
  ),
);

wireTabs(byId('tabs', HTMLElement), async (name) => {
  const start = later[name];
  if (!start) return;
  delete later[name];
  (await start())();
});
