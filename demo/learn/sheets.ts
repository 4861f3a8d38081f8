import { svg } from '../ui/dom.ts';

/** Sheets that are drawn at most; more channels are drawn as these. */
const MOST_SHEETS = 6;
/** Offset from one sheet to the next: the first lies at the back, up and to the right. */
export const OFFSET = { x: 8, y: 6 };
/** Cells below this many pixels get no grid. */
const SMALLEST_GRID = 5;

export const sheetsShown = (channels: number): number => Math.min(channels, MOST_SHEETS);

export type SheetColour = 'channels' | 'normal' | 'depthwise' | 'pointwise';

/** A tensor or filter as a stack of square sheets, one a channel, its lower left corner of the front at (x, y). */
export class Sheets {
  readonly element: SVGGElement;
  readonly #side: number;
  readonly #channels: number;
  readonly #cell: number;
  readonly #x: number;
  readonly #y: number;
  readonly #sheets: { group: SVGGElement; filled: SVGPathElement }[] = [];
  readonly #window = svg('g', { class: 'window' });

  constructor(side: number, channels: number, cell: number, x: number, y: number, colour: SheetColour) {
    this.#side = side;
    this.#channels = channels;
    this.#cell = cell;
    this.#x = x;
    this.#y = y;
    for (let i = 0; i < sheetsShown(channels); i++) {
      const filled = svg('path', { class: 'sheet-filled' });
      const hue = colour === 'channels' ? `channel-${i}` : colour;
      const group = svg(
        'g',
        { class: `sheet sheet-${hue}` },
        svg('path', { class: 'sheet-paper', d: this.#squares(i, 0, 0, side, side) }),
        filled,
        svg('path', { class: 'sheet-grid', d: this.#grid(i) }),
      );
      this.#sheets.push({ group, filled });
    }
    this.element = svg('g', {}, ...this.#sheets.map(({ group }) => group), this.#window);
  }

  /** Which drawn sheet stands for a channel. */
  #sheetOf(channel: number): number {
    return Math.min(
      sheetsShown(this.#channels) - 1,
      Math.floor((channel * sheetsShown(this.#channels)) / this.#channels),
    );
  }

  /** Top left corner of a cell of a sheet. */
  #corner(sheet: number, row: number, column: number): [number, number] {
    const back = sheetsShown(this.#channels) - 1 - sheet;
    return [
      this.#x + back * OFFSET.x + column * this.#cell,
      this.#y - back * OFFSET.y - (this.#side - row) * this.#cell,
    ];
  }

  #squares(sheet: number, row: number, column: number, height: number, width: number): string {
    const [x, y] = this.#corner(sheet, row, column);
    return `M${x} ${y}h${width * this.#cell}v${height * this.#cell}h${-width * this.#cell}z`;
  }

  #grid(sheet: number): string {
    const [x, y] = this.#corner(sheet, 0, 0);
    const length = this.#side * this.#cell;
    if (this.#cell < SMALLEST_GRID) return '';
    const lines = Array.from({ length: this.#side - 1 }, (_, i) => (i + 1) * this.#cell);
    return lines.map((at) => `M${x} ${y + at}h${length}M${x + at} ${y}v${length}`).join('');
  }

  /** Colours the first `values` values, sheet by sheet, row by row; sheets not yet begun are only outlines. */
  fill(values: number): void {
    const perSheet = this.#side ** 2;
    const shown = sheetsShown(this.#channels);
    for (const [i, { group, filled }] of this.#sheets.entries()) {
      // A drawn sheet may stand for several channels: it shows their values in proportion.
      const channelsBefore = Math.ceil((i * this.#channels) / shown);
      const channelsHere = Math.ceil(((i + 1) * this.#channels) / shown) - channelsBefore;
      const share = Math.min(1, Math.max(0, (values - channelsBefore * perSheet) / (channelsHere * perSheet)));
      const cells = Math.floor(share * perSheet);
      const rows = Math.floor(cells / this.#side);
      const rest = cells % this.#side;
      filled.setAttribute(
        'd',
        (rows > 0 ? this.#squares(i, 0, 0, rows, this.#side) : '') +
          (rest > 0 ? this.#squares(i, rows, 0, 1, rest) : ''),
      );
      group.classList.toggle('sheet-waiting', cells === 0);
    }
  }

  /** Makes the sheets in front of a channel transparent, so that it can be seen; null: none. */
  reveal(channel: number | null): void {
    const sheet = channel === null ? this.#sheets.length : this.#sheetOf(channel);
    for (const [i, { group }] of this.#sheets.entries()) group.classList.toggle('sheet-ghost', i > sheet);
  }

  /** Outlines a window on one channel, or through all of them where `channel` is null. */
  outline(channel: number | null, row: number, column: number, size: number, emphasised: number | null = null): void {
    const last = sheetsShown(this.#channels) - 1;
    const front = channel === null ? last : this.#sheetOf(channel);
    const back = channel === null ? 0 : front;
    const edge = size * this.#cell;
    const [frontX, frontY] = this.#corner(front, row, column);
    const [backX, backY] = this.#corner(back, row, column);
    const prism =
      front === back
        ? ''
        : [
            [0, 0],
            [edge, 0],
            [edge, edge],
            [0, edge],
          ]
            .map(([x, y]) => `M${frontX + x!} ${frontY + y!}L${backX + x!} ${backY + y!}`)
            .join('');
    this.#window.replaceChildren(
      ...(front === back
        ? []
        : [svg('path', { class: 'window-back', d: this.#squares(back, row, column, size, size) })]),
      svg('path', { class: 'window-edges', d: prism }),
      ...(emphasised === null
        ? []
        : [svg('path', { class: 'window-now', d: this.#squares(this.#sheetOf(emphasised), row, column, size, size) })]),
      svg('path', { class: 'window-front', d: this.#squares(front, row, column, size, size) }),
    );
  }

  clearOutline(): void {
    this.#window.replaceChildren();
  }
}
