import { layerCosts } from '../../src/analysis/index.ts';
import type { Conv2d, Graph, Node } from '../../src/index.ts';
import { byId, html } from '../ui/dom.ts';
import { compact } from '../ui/format.ts';
import { convolution } from './graphs.ts';
import { t } from './strings/language.ts';
import type { BlockName } from './strings/strings.ts';

const SIDE = 14;
const CHANNELS = 64;

type Layer =
  | { readonly kind: 'depthwise'; readonly kernel: number; readonly channels: number }
  | { readonly kind: 'pointwise'; readonly from: number; readonly to: number }
  | { readonly kind: 'gate'; readonly channels: number }
  | { readonly kind: 'add' };

const wide = 6 * CHANNELS;
const expand: Layer = { kind: 'pointwise', from: CHANNELS, to: wide };
const project: Layer = { kind: 'pointwise', from: wide, to: CHANNELS };
const add: Layer = { kind: 'add' };
const depthwise = (kernel: number, channels: number): Layer => ({ kind: 'depthwise', kernel, channels });

/** In the order of the lesson's texts. */
const blocks: Readonly<Record<BlockName, readonly Layer[]>> = {
  v1: [depthwise(3, CHANNELS), { kind: 'pointwise', from: CHANNELS, to: CHANNELS }],
  v2: [expand, depthwise(3, wide), project, add],
  v3: [expand, depthwise(5, wide), { kind: 'gate', channels: wide }, project, add],
  v4: [depthwise(3, CHANNELS), expand, depthwise(5, wide), project, add],
};

const weights = (length: number) => new Float32Array(length);

function same(node: Conv2d): Conv2d {
  const pad = (node.kernel[0] - 1) / 2;
  return { ...node, padding: { top: pad, left: pad, bottom: pad, right: pad } };
}

/** Multiplications by the engine's cost model. */
function multiplicationsOf(layer: Layer): number {
  const cost = (side: number, channels: number, nodes: readonly Node[]): number => {
    const graph: Graph = {
      name: 'layer',
      inputs: [{ name: 'input', shape: [1, side, side, channels] }],
      outputs: [{ name: 'output', tensor: nodes.at(-1)!.output }],
      nodes,
    };
    return layerCosts(graph).reduce((sum, { multiplications }) => sum + multiplications, 0);
  };
  const pointwise = (name: string, input: string, from: number, to: number) =>
    convolution(name, input, weights(from * to), 1, 1, to);
  switch (layer.kind) {
    case 'add':
      return 0;
    case 'depthwise': {
      const { kernel, channels } = layer;
      return cost(SIDE, channels, [
        same(convolution('a', 'input', weights(kernel * kernel * channels), kernel, channels, channels)),
      ]);
    }
    case 'pointwise':
      return cost(SIDE, layer.from, [pointwise('a', 'input', layer.from, layer.to)]);
    case 'gate': {
      // Two small layers on the means, then each value times its channel's gate.
      const inner = layer.channels / 4;
      const { channels } = layer;
      return (
        cost(1, channels, [pointwise('a', 'input', channels, inner), pointwise('b', 'a', inner, channels)]) +
        SIDE * SIDE * channels
      );
    }
  }
}

/** The same layers where each depthwise convolution and the next pointwise one are one normal convolution. */
function withNormalConvolutions(layers: readonly Layer[]): number {
  let sum = 0;
  let kernel = 1;
  for (const layer of layers) {
    if (layer.kind === 'depthwise') kernel = layer.kernel;
    else if (layer.kind === 'pointwise') {
      sum += kernel ** 2 * multiplicationsOf(layer);
      kernel = 1;
    } else sum += multiplicationsOf(layer);
  }
  return sum;
}

/** The blocks of the four generations, layer on layer. Returns what shows them anew, in another language say. */
export function wireBlocks(): () => void {
  const buttons = byId('block-names', HTMLDivElement);
  const slider = byId('block-layers', HTMLInputElement);
  const place = byId('block', HTMLDivElement);
  let name: BlockName = 'v1';

  const show = () => {
    const texts = t().blocks[name];
    const counts = blocks[name].map(multiplicationsOf);
    const most = Math.max(...counts);
    const shown = Math.min(slider.valueAsNumber, counts.length);
    const all = counts.slice(0, shown).reduce((a, b) => a + b, 0);
    const normal = withNormalConvolutions(blocks[name].slice(0, shown));
    place.dataset.block = name;
    place.replaceChildren(
      html('p', {}, texts.what),
      html('p', { class: 'quiet' }, t().blockSize(SIDE, CHANNELS)),
      html(
        'ol',
        { class: 'block-layers' },
        ...blocks[name].slice(0, shown).map(({ kind }, i) => {
          const bar = html('span', {
            class: `bar-fill bar-${{ gate: 'dense', add: 'other' }[kind as string] ?? kind}`,
          });
          bar.style.setProperty('--share', String(counts[i]! / most));
          return html(
            'li',
            {},
            html('b', {}, texts.layers[i]!.name),
            html('span', { class: 'quiet' }, texts.layers[i]!.why),
            html('span', { class: 'bar-track', 'aria-hidden': true }, bar),
            html('span', { class: 'quiet', 'data-count': counts[i]! }, t().multiplications(compact(counts[i]!))),
          );
        }),
      ),
      html(
        'p',
        { id: 'block-sum' },
        normal > all
          ? t().blockSum(compact(all), compact(normal), (normal / all).toFixed(1))
          : t().multiplications(compact(all)),
      ),
    );
    for (const button of buttons.querySelectorAll<HTMLElement>('button'))
      button.setAttribute('aria-pressed', String(button.dataset.block === name));
  };

  buttons.replaceChildren(
    ...(Object.keys(blocks) as BlockName[]).map((id) => {
      const button = html(
        'button',
        { type: 'button', class: 'button', 'data-block': id, 'aria-pressed': 'false' },
        id.toUpperCase(),
      );
      button.addEventListener('click', () => {
        name = id;
        slider.max = String(blocks[id].length);
        slider.value = slider.max;
        show();
      });
      return button;
    }),
  );
  slider.max = String(blocks[name].length);
  slider.addEventListener('input', show);
  return show;
}
