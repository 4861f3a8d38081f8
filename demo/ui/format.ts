/** Numbers as a person reads them. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 2160 → "2,160". */
export const integer = (value: number): string => grouped.format(value);

/** Three significant digits with a unit prefix: 300774272 → "301 M". */
export function compact(value: number): string {
  for (const [size, prefix] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size) return `${significant(value / size)} ${prefix}`;
  }
  return significant(value);
}

/** 1536000 → "1.54 MB". */
export const bytes = (value: number): string => `${compact(value)}${value >= 1e3 ? 'B' : ' B'}`;

/** Milliseconds, with seconds from one second on. */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${significant(value / 1000)} s`;
  return `${value > 0 && value < 0.01 ? '< 0.01' : significant(value)} ms`;
}

/** 0.4231 → "42 %"; small ones keep a digit. */
export function percent(value: number): string {
  const share = 100 * value;
  if (share > 0 && share < 0.1) return '< 0.1 %';
  if (share >= 99.5 && share < 100) return '> 99 %';
  return `${share >= 10 || share === 0 ? Math.round(share) : share.toFixed(1)} %`;
}

/** 0.0000123 → "1.2e-5"; 0 → "0". */
export const small = (value: number): string => (value === 0 ? '0' : value.toExponential(1).replace('e+', 'e'));

/** `[1, 112, 112, 32]` → "112×112×32"; the batch is left out where it is one. */
export const shapeText = (shape: readonly number[]): string =>
  (shape[0] === 1 ? shape.slice(1) : shape).map(String).join('×');

function significant(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
