import type { Growth, GrowthSeries } from './growth-results.ts';
import { adapterName } from './report.ts';

const panel = { width: 240, height: 180, left: 60, top: 56, gap: 70 };
const width = 3 * (panel.width + panel.gap) + 30;
const height = panel.top + panel.height + 70;
const titles = {
  alpha: 'width multiplier α (224², batch 1)',
  size: 'input size (α 1, batch 1)',
  batch: 'batch (α 1, 128²)',
};

/**
 * An SVG of one panel a series: median times as dots on a line, and dashed what they would be if they grew from the
 * first of them as the multiplications do.
 */
export function growthPlot({ browser, adapter, plan, series }: Growth): string {
  const title = `MobileNetV2, ${plan} plan: median ms of an inference. ${browser}, ${adapterName(adapter)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${panel.left}" y="24" font-size="14">${escaped(title)}</text>
${series.map(drawPanel).join('\n')}
</svg>
`;
}

function drawPanel({ against, points, exponent }: GrowthSeries, index: number): string {
  const [first] = points as [GrowthSeries['points'][number]];
  const proportional = points.map(({ macs }) => (first.medianMs * macs) / first.macs);
  const most = Math.max(...proportional, ...points.map(({ medianMs }) => medianMs));
  const widest = Math.max(...points.map(({ value }) => value));
  const x = (value: number) => ((value / widest) * panel.width).toFixed(1);
  const y = (ms: number) => (panel.height * (1 - ms / most)).toFixed(1);
  const measured = points.map(({ value, medianMs }) => `${x(value)},${y(medianMs)}`);
  const dashed = points.map(({ value }, i) => `${x(value)},${y(proportional[i]!)}`);
  const ticks = points.map(
    ({ value }) => `<text x="${x(value)}" y="${panel.height + 16}" text-anchor="middle">${value}</text>`,
  );
  const levels = [0, most / 2, most].map(
    (ms) => `<text x="-6" y="${y(ms)}" dy="4" text-anchor="end">${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)}</text>`,
  );
  return `<g transform="translate(${panel.left + index * (panel.width + panel.gap)} ${panel.top})">
<path d="M0 0V${panel.height}H${panel.width}" fill="none" stroke="#333"/>
${[...ticks, ...levels].join('\n')}
<polyline points="${dashed.join(' ')}" fill="none" stroke="#888" stroke-dasharray="5 4"/>
<polyline points="${measured.join(' ')}" fill="none" stroke="#1463b8" stroke-width="2"/>
${points.map(({ value, medianMs }) => `<circle cx="${x(value)}" cy="${y(medianMs)}" r="3.5" fill="#1463b8"/>`).join('\n')}
<text x="8" y="6" fill="#1463b8">measured: MACs^${exponent.toFixed(2)}</text>
<text x="8" y="22" fill="#666">dashed: as MACs</text>
<text x="${panel.width / 2}" y="${panel.height + 38}" text-anchor="middle">${titles[against]}</text>
</g>`;
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
