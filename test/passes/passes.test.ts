import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Node, Shape } from '../../src/graph/ops.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { fuseBlocks } from '../../src/passes/fuse-blocks.ts';
import { runPasses } from '../../src/passes/index.ts';
import { fuse } from '../../src/planner/fuse.ts';
import { runGraph } from '../../src/reference/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

const input: Shape = [1, 6, 5, 4];

/** Each node reads the output of the one before it unless its `inputs` say otherwise; the last is the output. */
function chain(...nodes: (Partial<Node> & { op: Node['op'] })[]): Graph {
  let previous = 'x';
  const named = nodes.map((node, i) => {
    const full = { name: `n${i}`, inputs: [previous], output: `t${i}`, ...node } as Node;
    previous = full.output;
    return full;
  });
  return {
    name: 'test',
    inputs: [{ name: 'x', shape: input }],
    outputs: [{ name: 'y', tensor: previous }],
    nodes: named,
  };
}

const values = (length: number, seed: number) => Float32Array.from({ length }, (_, i) => Math.sin(7.3 * i + seed));

const conv = (extra: object = {}) => ({
  op: 'conv2d' as const,
  weights: values(9 * 4 * 4, 1),
  bias: values(4, 2),
  kernel: [3, 3] as const,
  stride: [1, 1] as const,
  dilation: [1, 1] as const,
  padding: { top: 1, left: 1, bottom: 1, right: 1 },
  groups: 1,
  outChannels: 4,
  activation: 'none' as const,
  ...extra,
});

const norm = (extra: object = {}) => ({
  op: 'batch-norm' as const,
  scale: values(4, 3),
  shift: values(4, 4),
  mean: values(4, 5),
  variance: values(4, 6).map((v) => Math.abs(v) + 0.1),
  epsilon: 1e-3,
  ...extra,
});

const affine = (scale: number, shift: number, extra: object = {}) => ({
  op: 'affine' as const,
  scale: Float32Array.of(scale),
  shift: Float32Array.of(shift),
  ...extra,
});

const clip = (min: number, max: number) => ({ op: 'clip' as const, min, max });
const activation = (name: string) => ({ op: 'activation' as const, activation: name as 'relu' });
const bare = { padding: { top: 0, left: 0, bottom: 0, right: 0 } };

/** Passes keep the values, and leave these operations. */
function expectPasses(graph: Graph, ops: readonly string[]): Graph {
  const after = runPasses(graph);
  expect(after.nodes.map(({ op }) => op)).toEqual(ops);
  expect(after.outputs).toEqual(graph.outputs);
  const inputs = seededInputs(graph);
  const [expected, actual] = [runGraph(graph, inputs), runGraph(after, inputs)];
  for (const { name } of graph.outputs) {
    expect(actual[name]!.shape).toEqual(expected[name]!.shape);
    expect(compareOutputs(actual[name]!.data, expected[name]!.data).nmse).toBeLessThan(1e-12);
  }
  return after;
}

describe('batch-norm', () => {
  it('goes into the convolution before it', () => {
    const { nodes } = expectPasses(chain(conv({ bias: null }), norm()), ['conv2d']);
    expect(nodes[0]!.op === 'conv2d' && nodes[0]!.bias).toHaveLength(4);
  });
  it('goes into a depthwise convolution and a fully connected layer', () => {
    const depthwise = conv({ groups: 4, weights: values(36, 1) });
    const dense = {
      op: 'fully-connected' as const,
      weights: values(480, 1),
      bias: null,
      outFeatures: 4,
      activation: 'none' as const,
    };
    expectPasses(chain(depthwise, norm(), dense, norm()), ['conv2d', 'fully-connected']);
  });
  it('before a convolution goes into it only where nothing is padded', () => {
    expectPasses(chain(norm(), conv(bare)), ['conv2d']);
    expectPasses(chain(norm(), conv({ ...bare, groups: 2, weights: values(72, 1) })), ['conv2d']);
    expectPasses(chain(norm(), conv()), ['affine', 'conv2d']);
  });
  it('after an activation stays, as affine', () => {
    expectPasses(chain(conv(), activation('relu'), norm(), activation('relu6')), ['conv2d', 'affine', 'activation']);
  });
  it('before a fully connected layer goes into it, channel by channel', () => {
    const dense = { op: 'fully-connected' as const, weights: values(480, 1), bias: null, outFeatures: 4 };
    expectPasses(chain(norm(), { ...dense, activation: 'none' }), ['fully-connected']);
  });
  it('stays where another node reads the convolution', () => {
    expectPasses(chain(conv(), norm(), { op: 'add', inputs: ['t1', 't0'], activation: 'none' }), [
      'conv2d',
      'affine',
      'add',
    ]);
  });
  it('in a row with affines becomes one', () => {
    expectPasses(chain(affine(2, 1), norm(), affine(0.5, -1)), ['affine']);
  });
});

describe('activations that are spelled out', () => {
  it.each([
    ['relu', [clip(0, Number.POSITIVE_INFINITY)]],
    ['relu6', [clip(0, 6)]],
    ['relu6', [activation('relu'), clip(-3e38, 6)]],
    ['relu6', [clip(-3.4e38, 6), clip(0, 3.4e38)]],
    ['relu6', [clip(Number.NEGATIVE_INFINITY, 6), activation('relu')]],
    ['relu6', [activation('relu6'), activation('relu')]],
    ['hard-sigmoid', [affine(1 / 6, 0.5), clip(0, 1)]],
    ['hard-swish', [affine(1 / 6, 0.5), clip(0, 1), { op: 'multiply', inputs: ['t1', 'x'] }]],
    ['hard-sigmoid', [affine(1, 3), clip(0, 6), affine(1 / 6, 0)]],
    ['hard-swish', [affine(1, 3), activation('relu6'), affine(1 / 6, 0), { op: 'multiply', inputs: ['x', 't2'] }]],
    ['hard-swish', [affine(1, 3), clip(0, 6), { op: 'multiply', inputs: ['x', 't1'] }, affine(1 / 6, 0)]],
    [
      'hard-swish',
      [affine(1, 3), clip(0, 6), affine(1 / 6, 0, { inputs: ['x'] }), { op: 'multiply', inputs: ['t2', 't1'] }],
    ],
    ['hard-swish', [activation('hard-sigmoid'), { op: 'multiply', inputs: ['t0', 'x'] }]],
  ])('%s (case %#)', (name, nodes) => {
    const graph = chain(
      ...nodes.map((node) => (node.op === 'multiply' ? { ...node, activation: 'none' } : node) as Node),
    );
    const after = expectPasses(graph, ['activation']);
    expect(after.nodes[0]!.op === 'activation' && after.nodes[0]!.activation).toBe(name);
  });

  it.each([
    ['another shift', [affine(1, 2.5), clip(0, 6), affine(1 / 6, 0)]],
    ['another divisor', [affine(1, 3), clip(0, 6), affine(1 / 5, 0)]],
    ['another maximum', [affine(1, 3), clip(0, 5), affine(1 / 6, 0)]],
    ['the slope of old Keras', [affine(0.2, 0.5), clip(0, 1)]],
  ])('is not seen with %s', (_, nodes) => {
    const after = runPasses(chain(...(nodes as Node[])));
    expect(after.nodes.length).toBeGreaterThan(1);
    expectPasses(
      chain(...(nodes as Node[])),
      after.nodes.map(({ op }) => op),
    );
  });

  describe('with a sixth that was rounded to float16', () => {
    const sixth = (extra: object = {}) => affine(0.16662598, 0, extra);
    const product = (...inputs: string[]) => ({ op: 'multiply' as const, inputs, activation: 'none' as const });
    const hardSwish = [affine(1, 3), activation('relu6'), sixth({ inputs: ['t0'] }), product('t3', 't2')];

    it('are hard-swish, and the factor goes into the next convolution though that pads', () => {
      const { nodes } = expectPasses(chain(conv(), ...hardSwish, conv()), ['conv2d', 'conv2d']);
      expect(nodes[0]!.op === 'conv2d' && nodes[0]!.activation).toBe('hard-swish');
    });
    it('keep the factor as a scale where it cannot', () => {
      expectPasses(chain(affine(1, 3), clip(0, 6), sixth()), ['activation', 'affine']);
      const sum = { op: 'add' as const, inputs: ['t4', 't5'], activation: 'none' as const };
      expectPasses(chain(conv(), ...hardSwish, conv(), sum), ['conv2d', 'affine', 'conv2d']);
    });
    it('put the factor of a gate behind the product, and that of a gated tensor past the pool too', () => {
      const gate = (from: string) => [
        { op: 'global-average-pool' as const, inputs: [from] },
        conv({ ...bare, kernel: [1, 1], weights: values(16, 1) }),
        activation('relu6'),
        sixth(),
      ];
      expectPasses(chain(conv(), ...gate('t0'), product('t0', 't4'), conv()), [
        'conv2d',
        'global-average-pool',
        'conv2d',
        'multiply',
        'conv2d',
      ]);
      expectPasses(chain(conv(), ...hardSwish, ...gate('t4'), product('t4', 't8'), conv()), [
        'conv2d',
        'global-average-pool',
        'conv2d',
        'multiply',
        'conv2d',
      ]);
    });
    it('stay spelled out where rounding moves the corners', () => {
      expectPasses(chain(affine(0.16662598, 0.5), clip(0, 1)), ['affine', 'clip']);
    });
  });

  it('goes into the node before it, where only it reads that', () => {
    expectPasses(chain(conv(), activation('relu6')), ['conv2d']);
    expectPasses(chain(conv(), activation('relu'), { op: 'multiply', inputs: ['t1', 't0'], activation: 'none' }), [
      'conv2d',
      'activation',
      'multiply',
    ]);
    expectPasses(chain({ op: 'add', inputs: ['x', 'x'], activation: 'none' }, activation('relu')), ['add']);
  });
});

describe('a clip that starts at 0', () => {
  it('is relu6 between weights, also past a gated product and a mean', () => {
    const { nodes } = expectPasses(chain(conv(), clip(0, 2.5), conv()), ['conv2d', 'conv2d']);
    expect(nodes[0]!.op === 'conv2d' && nodes[0]!.activation).toBe('relu6');
    const gate = [
      { op: 'global-average-pool' as const, inputs: ['t0'] },
      conv({ ...bare, kernel: [1, 1], weights: values(16, 1) }),
      clip(0, 1),
      { op: 'multiply' as const, inputs: ['t0', 't3'], activation: 'none' as const },
    ];
    const gated = ['conv2d', 'global-average-pool', 'conv2d', 'multiply', 'conv2d'];
    expectPasses(chain(conv(), ...gate, conv()), gated);
  });
  it('stays where no weights follow, or where more than one reads what is clipped', () => {
    expectPasses(chain(conv(), clip(0, 2.5)), ['conv2d', 'clip']);
    expectPasses(chain(conv(), clip(0, 2.5), activation('sigmoid'), conv()), [
      'conv2d',
      'clip',
      'activation',
      'conv2d',
    ]);
    const sum = { op: 'add' as const, inputs: ['t0', 't2'], activation: 'none' as const };
    expectPasses(chain(conv(), clip(0, 2.5), conv(), sum), ['conv2d', 'clip', 'conv2d']);
  });
  it('stays where it starts elsewhere, or is too narrow or wide to be scaled', () => {
    for (const each of [clip(-1, 1), clip(0, 1e-30), clip(0, 1e30)]) {
      expectPasses(chain(conv(), each, conv()), ['conv2d', 'clip', 'conv2d']);
    }
  });
});

describe('residuals', () => {
  const add = (inputs: string[]) => ({ op: 'add' as const, inputs, activation: 'none' as const });
  it('go into the convolution, from either side', () => {
    expectPasses(chain(conv(), add(['t0', 'x'])), ['conv2d']);
    expectPasses(chain(conv(), add(['x', 't0'])), ['conv2d']);
  });
  it('come after the activation', () => {
    expectPasses(chain(conv(), activation('relu6'), add(['t1', 'x'])), ['conv2d']);
  });
  it('before an activation stay sums, with the activation', () => {
    const { nodes } = expectPasses(chain(conv(), add(['t0', 'x']), activation('relu')), ['conv2d', 'add']);
    expect(nodes[1]!.op === 'add' && nodes[1]!.activation).toBe('relu');
  });
  it('of two convolutions go into one of them, in an order that runs', () => {
    expectPasses(chain(conv(), conv({ inputs: ['x'] }), add(['t0', 't1'])), ['conv2d', 'conv2d']);
  });
  it('of a tensor with itself stay', () => {
    expectPasses(chain(conv(), add(['t0', 't0'])), ['conv2d', 'add']);
  });
});

describe('padding', () => {
  const pad = { op: 'pad' as const, padding: { top: 0, left: 1, bottom: 2, right: 3 } };
  it('goes into the convolution that follows', () => {
    const { nodes } = expectPasses(chain(pad, conv()), ['conv2d']);
    expect(nodes[0]!.op === 'conv2d' && nodes[0]!.padding).toEqual({ top: 1, left: 2, bottom: 3, right: 4 });
  });
  const pool = (extra: object) =>
    ({
      op: 'pool',
      kind: 'average',
      kernel: [4, 4],
      stride: [1, 1],
      countPadding: false,
      ...bare,
      ...extra,
    }) as unknown as Node;
  it('goes into an average pool, which counts it', () => {
    const { nodes } = expectPasses(chain(pad, pool({})), ['pool']);
    expect(nodes[0]).toMatchObject({ padding: pad.padding, countPadding: true });
    const around = { top: 1, left: 1, bottom: 1, right: 0 };
    expectPasses(chain(pad, pool({ padding: around, countPadding: true })), ['pool']);
  });
  it('stays out of a pool that would divide by another number, or whose window would lie outside', () => {
    const around = { top: 1, left: 1, bottom: 1, right: 0 };
    expectPasses(chain(pad, pool({ padding: around })), ['conv2d', 'pool']);
    expectPasses(chain(pad, pool({ kernel: [3, 3], countPadding: true })), ['conv2d', 'pool']);
  });
  it('of nothing goes', () => {
    expectPasses(chain({ op: 'pad', ...bare }, activation('sigmoid')), ['activation']);
  });
  it('before anything else becomes a convolution of its own', () => {
    expectPasses(chain(pad, activation('sigmoid')), ['conv2d']);
    expectPasses(chain(pad, pool({ kind: 'max', kernel: [2, 2] })), ['conv2d', 'pool']);
  });
});

describe('shapes', () => {
  const reshape = (shape: Shape) => ({ op: 'reshape' as const, shape });
  const dense = {
    op: 'fully-connected' as const,
    weights: values(1200, 1),
    bias: null,
    outFeatures: 10,
    activation: 'none' as const,
  };
  it('loses reshapes that change nothing', () => {
    expectPasses(chain(reshape([1, 1, 1, 120]), dense), ['fully-connected']);
    expectPasses(chain(conv(), reshape(input), activation('relu')), ['conv2d']);
    expectPasses(chain(dense, reshape([1, 1, 1, 10])), ['fully-connected']);
    expectPasses(chain(reshape([1, 1, 1, 120]), reshape([1, 5, 6, 4]), conv()), ['reshape', 'conv2d']);
  });
  it('keeps a reshape that the output needs', () => {
    expectPasses(chain(conv(), reshape([1, 5, 6, 4])), ['conv2d', 'reshape']);
  });
  it('takes a pool over the whole picture for a global one', () => {
    const pool = { op: 'pool', kind: 'average', kernel: [6, 5], stride: [1, 1], countPadding: false, ...bare };
    expectPasses(chain(pool as unknown as Node), ['global-average-pool']);
  });
  it('loses a reshape once the batch-norm behind it is folded', () => {
    const each = (mean: number) => values(120, mean).map((v) => Math.abs(v) + 0.5);
    const flat = { op: 'batch-norm', scale: each(1), shift: each(2), mean: each(3), variance: each(4), epsilon: 1e-3 };
    expectPasses(chain(reshape([1, 1, 1, 120]), flat as unknown as Node, dense), ['fully-connected']);
  });
  it('takes a concatenation of one for its input', () => {
    expectPasses(chain(conv(), { op: 'concat', inputs: ['t0'] }, activation('relu')), ['conv2d']);
    expectPasses(chain({ op: 'concat', inputs: ['x'] }), ['reshape']);
  });
  it('joins many tensors in pairs', () => {
    expectPasses(chain({ op: 'concat', inputs: ['x', 'x', 'x', 'x'] }), ['concat', 'concat', 'concat']);
  });
});

/** Fusing blocks keeps what the graph computes, to the bit: the same parts run. */
function expectFused(graph: Graph): void {
  const inputs = seededInputs(graph);
  expect(
    runGraph(
      fuseBlocks(graph, () => true),
      inputs,
    ),
  ).toEqual(runGraph(graph, inputs));
}

describe('blocks', () => {
  it('keep a hidden tensor that is the residual too', () => {
    const pointwise = { kernel: [1, 1], ...bare, weights: values(16, 1) };
    const graph = chain(
      conv({ groups: 4, weights: values(36, 1) }),
      conv({ ...pointwise, inputs: ['t0', 't0'] }),
      conv({ groups: 4, weights: values(36, 2) }),
      conv(pointwise),
    );
    expect(fuseBlocks(graph, () => true).nodes.map(({ op }) => op)).toEqual(['conv2d', 'conv2d', 'fused']);
  });

  const depthwise = (channels: number, activation = 'none') =>
    conv({ groups: channels, outChannels: channels, weights: values(9 * channels, 1), bias: null, activation });
  const pointwise = (from: number, to: number, activation = 'none') =>
    conv({ kernel: [1, 1], ...bare, weights: values(from * to, 1), bias: null, outChannels: to, activation });
  const parts = (graph: Graph, most = 4) =>
    fuseBlocks(graph, (node) => node.parts.length <= most).nodes.map((node) =>
      node.op === 'fused' ? node.parts.map(({ name }) => name).join(' ') : node.name,
    );

  it('take a starting depthwise in, with the residual that it reads too', () => {
    const project = { ...pointwise(8, 4), inputs: ['t2', 'x'] };
    const graph = chain(depthwise(4), pointwise(4, 8, 'relu'), depthwise(8, 'relu'), project);
    expect(parts(graph)).toEqual(['n0 n1 n2 n3']);
    expect(fuseBlocks(graph, () => true).nodes[0]!.inputs).toEqual(['x', 'x']);
    expectFused(graph);
  });

  it('leave a starting depthwise alone where no kernel takes it', () => {
    const graph = chain(depthwise(4), pointwise(4, 8, 'relu'), depthwise(8, 'relu'), pointwise(8, 4));
    expect(parts(graph, 3)).toEqual(['n0', 'n1 n2 n3']);
  });

  it('take a starting depthwise with an activation for one where the last has none', () => {
    const block = (last: string) => [
      depthwise(4, 'relu'),
      pointwise(4, 8, 'relu'),
      depthwise(8, 'relu'),
      pointwise(8, 4, last),
    ];
    expect(parts(chain(...block('none')))).toEqual(['n0 n1 n2 n3']);
    expect(parts(chain(...block('relu')))).toEqual(['n0 n1', 'n2 n3']);
    expect(parts(chain(...block('none')), 3)).toEqual(['n0 n1', 'n2 n3']);
    expect(parts(chain(depthwise(4, 'relu'), pointwise(4, 8, 'relu'), pointwise(8, 4)))).toEqual(['n0 n1 n2']);
    expectFused(chain(...block('none')));
  });

  it('hold every depthwise convolution of MobileNetV4', () => {
    const { nodes } = fuse(runPasses(buildArchitecture('v4-conv-small-0.35-96')));
    expect(nodes).toHaveLength(18);
    const alone = nodes.filter((node) => node.op === 'conv2d' && node.groups > 1);
    expect(alone).toEqual([]);
  });

  it('end before an expansion that somebody else reads, or that adds a residual', () => {
    const widened = { ...pointwise(4, 8, 'relu'), inputs: ['t1', 't0'] };
    const residual = chain(pointwise(4, 8), depthwise(4), widened, depthwise(8), pointwise(8, 4));
    const [first, start, ...rest] = residual.nodes;
    const graph = { ...residual, nodes: [first!, { ...start!, inputs: ['x'] }, ...rest] };
    expect(parts(graph)).toEqual(['n0', 'n1 n2', 'n3 n4']);
    const read = chain(depthwise(4), pointwise(4, 8), depthwise(8), pointwise(8, 8), {
      op: 'add',
      inputs: ['t3', 't1'],
      activation: 'none',
    });
    expect(parts(read)).toEqual(['n0 n1', 'n2 n3', 'n4']);
  });
});

describe('whole networks', () => {
  it.each([
    ['v1-0.25-64', 29],
    ['v2-0.35-64', 54],
  ])('%s becomes %i nodes of three operations', (id, most) => {
    const graph = buildArchitecture(id);
    const { nodes } = runPasses(graph);
    expect(nodes.length).toBeLessThanOrEqual(most);
    expect([...new Set(nodes.map(({ op }) => op))]).toEqual(['conv2d', 'global-average-pool', 'fully-connected']);
    expectPasses(
      graph,
      nodes.map(({ op }) => op),
    );
  });
  it.each(['v3-small-0.5-64', 'v3-large-minimalistic-0.35-64', 'v4-conv-small-0.35-64'])(
    '%s keeps its values',
    (id) => {
      const graph = buildArchitecture(id);
      expectPasses(
        graph,
        runPasses(graph).nodes.map(({ op }) => op),
      );
    },
  );
  it('drops what reaches no output', () => {
    const graph = chain(conv(), activation('relu'));
    const dead = { ...chain(conv(), activation('sigmoid')), outputs: graph.outputs };
    const cut = { ...dead, outputs: [{ name: 'y', tensor: 't0' }] };
    expect(runPasses(cut).nodes).toHaveLength(1);
  });
});
