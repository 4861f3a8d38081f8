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
const HEADING = 30;

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
  let x = 0;
  let y = -TALLEST - ABOVE - BELOW;
  let line = -1;
  let resolution = '';
  for (const { output, macs } of blocks) {
    const blockWidth = Math.round(NARROWEST + (WIDEST - NARROWEST) * Math.sqrt(macs / mostMacs));
    const size = `${output[1]} × ${output[2]}`;
    const isNewStage = size !== resolution;
    if (isNewStage || x + blockWidth > width) {
      x = 0;
      line++;
      y += TALLEST + ABOVE + BELOW + (isNewStage ? HEADING : 0);
      if (isNewStage) headings.push({ text: size, x, y: y + 20 });
      resolution = size;
    }
    const share = Math.min(1, Math.log2(Math.max(1, output[3])) / 11);
    places.push({
      x,
      y: y + HEADING + ABOVE + TALLEST,
      width: blockWidth,
      height: Math.round(SHORTEST + (TALLEST - SHORTEST) * share),
      line,
    });
    x += blockWidth + GAP;
  }
  return { places, headings, height: y + HEADING + ABOVE + TALLEST + BELOW };
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
    const { places, headings, height } = arrange(blocks, width);
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
      ...blocks.map(({ addsFrom }, i) => (addsFrom === null ? null : arc(places[addsFrom]!, places[i]!))),
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

/** From the block that is added to the one that adds; over a line's end, only the arrival is drawn. */
function arc(from: Placed, to: Placed): SVGPathElement {
  const end = to.x + to.width / 2;
  const start = from.line === to.line ? from.x + from.width / 2 : Math.max(0, to.x - GAP);
  const depth = BELOW - 5;
  return svg('path', {
    class: 'network-arc',
    d: `M${start} ${to.y + 3}C${start} ${to.y + depth},${end} ${to.y + depth},${end} ${to.y + 3}`,
  });
}

/** The colours' meaning, for the kinds that occur. */
export const legend = (blocks: readonly Block[]): HTMLElement[] =>
  (Object.keys(kindNames) as Kind[])
    .filter((kind) => blocks.some((block) => block.kind === kind))
    .map((kind) =>
      html('span', { class: 'legend-item' }, html('span', { class: `swatch swatch-${kind}` }), kindNames[kind]),
    );
