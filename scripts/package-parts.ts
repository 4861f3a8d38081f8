/** What the package and the bench's page are both built with. */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';
import { compactShader, programsOf, shaderTexts, shortNames } from './compact-shaders.ts';

/** Shaders as they travel. */
export function compactShaders(): Plugin {
  const names = shortNames(programsOf(shaderTexts()));
  return {
    name: 'compact-shaders',
    enforce: 'pre',
    load(id) {
      const [path, query] = id.split('?');
      if (!path?.endsWith('.wgsl') || query !== 'raw') return null;
      return `export default ${JSON.stringify(compactShader(readFileSync(path, 'utf8'), names))};`;
    },
  };
}

/** What entries and loaders share is in few files: split by who needs it, it is smaller but compresses worse. */
export const chunkGroups = [
  {
    name: 'common',
    test: /src\/(errors|graph\/(image-rule|scores)|images\/(resample|image-to-tensor))|rolldown\/runtime/,
    priority: 2,
  },
  // Whatever opens a file needs all of it.
  { name: 'loaders', test: /src\/loaders\/(index|model-files|streaming|byte-stream|core\/weights)/ },
  // Of every network but a saved model: what files of every format are read with, and the passes, less what few need
  // or only some formats: ONNX and TensorFlow.js graphs fold constants, and a saved model needs weights alone.
  {
    name: 'import',
    test: /src\/(loaders\/core\/(?!json|weights|fold|dims|schedule|decodings|space-to-batch|rounding|rarer|cut|saturation|layouts|inputs)|passes\/(plain|simplify-shapes|fuse-residual|remove-dead|pass)\.|graph\/(classes|dead-nodes))/,
  },
  { name: 'rarer', test: /src\/loaders\/core\/(rarer|cut|layouts|inputs)/ },
  { name: 'passes', test: /src\/passes\/(?!embedding|fuse-(blocks|squeeze|integer)|integer)/ },
  { name: 'fold', test: /src\/loaders\/core\/(fold|dims|schedule)/ },
  // Pictures of every kind, on GPU and CPU, in workers and for tasks.
  {
    name: 'pictures',
    test: /src\/(open-source|graph\/image-presets|images\/(open-picture|image-option))/,
  },
  { name: 'hardware', test: /src\/tuning\/(hardware|device-class)/ },
  // What a network on a GPU needs until it has seen its first picture and is tuned: it comes at once and compresses together.
  {
    name: 'tuning',
    test: /src\/(tuning\/(index|tuner|trial|warm-up|race|adopt|cache|self-check|golden|passed-checks|shipped|indexed-db)|scheduler\/(pace|trial-bench|slices|clock-step|dispatch-time|median|poison|picture-stage|rank-stage)|validate\/(compare|picture-check)|reference\/(?!index|integers|pool|shape|resize|elementwise|conv-transpose)|kernels\/(image-to-tensor|rank-classes|trial-values|largest-difference|variants|conv-pointwise-tiled|conv-depthwise-(strip|tile)))|idb-keyval/,
  },
  { name: 'json', test: /src\/loaders\/core\/json/ },
  // Of arithmetic in halves, and of its bounds.
  { name: 'half-weights', test: /src\/graph\/half-weights/, priority: 1 },
  { name: 'halves', test: /src\/kernels\/(halves|half-operands|scaled)/ },
  // Of networks whose weights are bytes.
  {
    name: 'byte-weights',
    test: /src\/(graph\/byte-weights|kernels\/bytes|loaders\/saved-model\/bytes)/,
  },
  // Of the entries for pages and for Node.
  {
    name: 'engine',
    test: /src\/(load\.ts|index\.ts|graph\/(?!image-presets|cost|scores|resize-places|dead-nodes|classes|byte-weights|half-weights)|tuning\/defaults)/,
    priority: 1,
  },
];
