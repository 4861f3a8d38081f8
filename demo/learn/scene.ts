import { svg } from '../ui/dom.ts';
import type { Progress } from './race.ts';
import { OFFSET, type SheetColour, Sheets, sheetsShown } from './sheets.ts';

const GAP = 30;
const TOP = 8;
const LABEL = 26;
const LARGEST_CELL = 24;

/** One sliding filter: input ∗ filter = output. */
export interface SceneOptions {
  readonly inputSide: number;
  readonly inputChannels: number;
  readonly inputColour: SheetColour;
  readonly filterSide: number;
  readonly filterChannels: number;
  readonly filterColour: SheetColour;
  readonly outputSide: number;
  readonly outputChannels: number;
  readonly outputColour: SheetColour;
  /** The filter sees one channel at a time, the one that it writes. */
  readonly isDepthwise: boolean;
  readonly label: string;
}

/** Pixels of a cell so that a scene fits `width`, and the scene's height with that cell or the one given. */
export function sceneSize(options: SceneOptions, width: number, given?: number): { cell: number; height: number } {
  const { inputSide, filterSide, outputSide, inputChannels, filterChannels, outputChannels } = options;
  const depth = [inputChannels, filterChannels, outputChannels].map((channels) => sheetsShown(channels) - 1);
  const fixed = 2 * GAP + OFFSET.x * depth.reduce((a, b) => a + b, 0) + 4;
  const fitting = Math.min(LARGEST_CELL, (width - fixed) / (inputSide + filterSide + outputSide));
  const cell = given ?? Math.max(0.5, fitting);
  return { cell, height: Math.ceil(TOP + OFFSET.y * Math.max(...depth) + inputSide * cell + LABEL) };
}

export class Scene {
  readonly element: SVGSVGElement;
  readonly #options: SceneOptions;
  readonly #input: Sheets;
  readonly #filter: Sheets;
  readonly #output: Sheets;

  constructor(options: SceneOptions, width: number, cell: number, height: number) {
    this.#options = options;
    const { inputSide, inputChannels, filterSide, filterChannels, outputSide, outputChannels } = options;
    const base = height - LABEL;
    const middle = base - (inputSide * cell) / 2;
    const widthOf = (side: number, channels: number) => side * cell + (sheetsShown(channels) - 1) * OFFSET.x;
    const widths = [
      widthOf(inputSide, inputChannels),
      widthOf(filterSide, filterChannels),
      widthOf(outputSide, outputChannels),
    ];
    const left = Math.max(2, (width - widths.reduce((a, b) => a + b, 2 * GAP)) / 2);
    const filterX = left + widths[0]! + GAP;
    const outputX = filterX + widths[1]! + GAP;
    const centred = (side: number) => middle + (side * cell) / 2;
    this.#input = new Sheets(inputSide, inputChannels, cell, left, base, options.inputColour);
    this.#filter = new Sheets(filterSide, filterChannels, cell, filterX, centred(filterSide), options.filterColour);
    this.#output = new Sheets(outputSide, outputChannels, cell, outputX, centred(outputSide), options.outputColour);
    this.#input.fill(Number.POSITIVE_INFINITY);
    this.#filter.fill(Number.POSITIVE_INFINITY);
    const text = (x: number, y: number, content: string) =>
      svg('text', { class: 'scene-text', x, y, 'text-anchor': 'middle' }, content);
    const sign = (x: number, content: string) =>
      svg('text', { class: 'scene-sign', x, y: middle + 6, 'text-anchor': 'middle' }, content);
    const size = (side: number, channels: number) => `${side}×${side}×${channels}`;
    this.element = svg(
      'svg',
      { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': options.label },
      this.#input.element,
      this.#filter.element,
      this.#output.element,
      sign(filterX - GAP / 2, '∗'),
      sign(outputX - GAP / 2, '='),
      text(left + widths[0]! / 2, height - 6, size(inputSide, inputChannels)),
      text(filterX + widths[1]! / 2, height - 6, size(filterSide, filterChannels)),
      text(outputX + widths[2]! / 2, height - 6, size(outputSide, outputChannels)),
    );
  }

  /** How much of the input is there; all of it unless said. */
  fillInput(values: number): void {
    this.#input.fill(values);
  }

  /** Shows how far the filter has slid; `channel` is the input channel that is multiplied just now. */
  show({ finished, at }: Progress, channel: number | null): void {
    this.#output.fill(finished);
    if (!at) {
      this.#input.clearOutline();
      this.#output.clearOutline();
      this.#input.reveal(null);
      this.#filter.reveal(null);
      return;
    }
    const { sheet, row, column } = at;
    const { isDepthwise, filterSide } = this.#options;
    this.#input.reveal(isDepthwise ? sheet : null);
    this.#filter.reveal(isDepthwise ? sheet : null);
    this.#input.outline(isDepthwise ? sheet : null, row, column, filterSide, isDepthwise ? null : channel);
    this.#output.outline(sheet, row, column, 1);
  }
}
