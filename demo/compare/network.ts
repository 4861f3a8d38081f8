import { html, svg } from '../ui/dom.ts';
import { type Block, type Kind, kindNames } from './blocks.ts';

const GAP = 4;
const NARROWEST = 40;
const WIDEST = 104;
const SHORTEST = 16;
const TALLEST = 56;
/** Room above a block for its channels, and below it for the residuals' arcs. */
const ABOVE = 22;
const BELOW = 22;
/** A stage's resolution stands over its line, or left of it where there is room. */
const HEADING = 30;
const HEADING_COLUMN = 104;
const WIDE = 640;

interface Placed {
  readonly x: number;
  /** Foot of the block. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly line: number;
}

interface Heading {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** Blocks in reading order; a new line begins where the resolution changes or the width is used up. */
function arrange(blocks: readonly Block[], width: number) {
  const mostMacs = Math.max(1, ...blocks.map(({ macs }) => macs));
  const places: Placed[] = [];
  const headings: Heading[] = [];
  const left = width >= WIDE ? HEADING_COLUMN : 0;
  const heading = left > 0 ? 0 : HEADING;
  let x = left;
  let foot = -BELOW;
  let line = -1;
  let resolution = '';
  for (const { output, macs } of blocks) {
    const blockWidth = Math.round(NARROWEST + (WIDEST - NARROWEST) * Math.sqrt(macs / mostMacs));
    const size = `${output[1]} × ${output[2]}`;
    const isNewStage = size !== resolution;
    if (isNewStage || x + blockWidth > width) {
      x = left;
      line++;
      foot += BELOW + (isNewStage ? heading : 0) + ABOVE + TALLEST;
      if (isNewStage) headings.push({ text: size, x: 0, y: left > 0 ? foot - 8 : foot - TALLEST - ABOVE - 8 });
      resolution = size;
    }
    const share = Math.min(1, Math.log2(Math.max(1, output[3])) / 11);
    places.push({
      x,
      y: foot,
      width: blockWidth,
      height: Math.round(SHORTEST + (TALLEST - SHORTEST) * share),
      line,
    });
    x += blockWidth + GAP;
  }
  return { left, places, headings, height: foot + BELOW };
}

export interface NetworkPicture {
  /** Draws again for a new width. */
  readonly resize: () => void;
}

/**
 * The network as a picture: a block for each layer, as wide as its multiplications (square root), as tall as its
 * channels (logarithm), coloured by kind; arcs are residuals. One tab stop, arrow keys move; `onChoose` is told of
 * the block that is hovered, focused or touched.
 */
export function drawNetwork(
  place: HTMLElement,
  blocks: readonly Block[],
  onChoose: (index: number) => void,
): NetworkPicture {
  const root = html('div');
  place.replaceChildren(root);
  let chosen = 0;
  let drawnWidth = 0;

  const choose = (index: number, focus: boolean) => {
    chosen = index;
    for (const [i, option] of [...root.querySelectorAll<SVGGElement>('[role=option]')].entries()) {
      option.setAttribute('aria-selected', String(i === index));
      option.setAttribute('tabindex', i === index ? '0' : '-1');
      if (focus && i === index) option.focus();
    }
    onChoose(index);
  };

  const draw = () => {
    const width = Math.floor(place.clientWidth);
    if (width === 0 || width === drawnWidth) return;
    drawnWidth = width;
    const { left, places, headings, height } = arrange(blocks, width);
    const picture = svg(
      'svg',
      {
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: 'listbox',
        'aria-label': 'Layers of the network',
        'aria-orientation': 'horizontal',
      },
      ...headings.map(({ text, x, y }) => svg('text', { class: 'network-stage', x, y }, text)),
      ...blocks.map(({ addsFrom }, i) => (addsFrom === null ? null : arc(places[addsFrom]!, places[i]!, left, width))),
      ...blocks.map((block, i) => option(block, places[i]!, i, i === chosen)),
    );
    root.replaceChildren(picture);
  };

  const indexOf = (target: EventTarget | null): number | null => {
    const option = target instanceof Element ? target.closest('[data-index]') : null;
    return option ? Number(option.getAttribute('data-index')) : null;
  };
  for (const type of ['pointerover', 'click', 'focusin'] as const) {
    root.addEventListener(type, ({ target }) => {
      const index = indexOf(target);
      if (index !== null) choose(index, false);
    });
  }
  root.addEventListener('keydown', (event) => {
    const next = {
      ArrowRight: Math.min(blocks.length - 1, chosen + 1),
      ArrowDown: Math.min(blocks.length - 1, chosen + 1),
      ArrowLeft: Math.max(0, chosen - 1),
      ArrowUp: Math.max(0, chosen - 1),
      Home: 0,
      End: blocks.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next, true);
  });
  draw();
  choose(0, false);
  return { resize: draw };
}

function option(
  { name, kind, output, description }: Block,
  { x, y, width, height }: Placed,
  index: number,
  selected: boolean,
): SVGGElement {
  return svg(
    'g',
    {
      class: `block block-${kind}`,
      role: 'option',
      tabindex: selected ? 0 : -1,
      'aria-selected': selected,
      'aria-label': `${index + 1}: ${kindNames[kind]}, ${description}, to ${output.slice(1).join(' by ')}, ${name}`,
      'data-index': index,
    },
    svg('rect', { class: 'block-hit', x, y: y - TALLEST - ABOVE, width, height: TALLEST + ABOVE }),
    svg('rect', { class: 'block-body', x, y: y - height, width, height, rx: 5 }),
    svg(
      'text',
      { class: 'block-channels', x: x + width / 2, y: y - height - 6, 'text-anchor': 'middle' },
      String(output[3]),
    ),
  );
}

/** From the block that is added to the one that adds; over a line's end it leaves right and comes in left. */
function arc(from: Placed, to: Placed, left: number, right: number): SVGPathElement {
  const [start, end] = [from.x + from.width / 2, to.x + to.width / 2];
  const depth = BELOW - 5;
  const [above, below] = [from.y + 3, to.y + 3];
  const [low, lower] = [from.y + depth, to.y + depth];
  const d =
    from.line === to.line
      ? `M${start} ${below}C${start} ${lower},${end} ${lower},${end} ${below}`
      : `M${start} ${above}Q${start} ${low - 3},${start + 14} ${low - 3}H${right}M${left} ${lower - 3}H${end - 14}Q${end} ${lower - 3},${end} ${below}`;
  return svg('path', { class: 'network-arc', d });
}

/** The colours' meaning, for the kinds that occur. */
export const legend = (blocks: readonly Block[]): HTMLElement[] =>
  (Object.keys(kindNames) as Kind[])
    .filter((kind) => blocks.some((block) => block.kind === kind))
    .map((kind) =>
      html('span', { class: 'legend-item' }, html('span', { class: `swatch swatch-${kind}` }), kindNames[kind]),
    );
