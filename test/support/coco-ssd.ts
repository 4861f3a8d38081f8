/**
 * A small SSD as the Object Detection API writes it and tensorflowjs_converter keeps it (tfjs-models' coco-ssd), by the
 * API's own names: a preprocessor that loops over the batch, two feature maps with two anchors a cell, a postprocessor.
 */
import { randomValues } from './random-values.ts';
import { type TfjsNodeSpec, type TfjsSpec, type TfjsWeightSpec, writeTfjs } from './tfjs-writer.ts';

export const size = 32;
export const classes = 3;
/** 4 × 4 and 2 × 2 cells of two anchors. */
export const anchorCount = 2 * (16 + 4);
export const resized = 'Preprocessor/map/TensorArrayStack/TensorArrayGatherV3';
export const rawOutputs = ['Squeeze', 'Postprocessor/convert_scores'] as const;
export const decodedOutputs = ['Postprocessor/ExpandDims_1', 'Postprocessor/Slice'] as const;

export interface CocoSsdOptions {
  /** Without the preprocessor's loop: what it makes is the input. For a runtime that is fed there. */
  readonly fed?: boolean;
  /** The converter has folded the anchors' centres and sizes, and multiplies by reciprocals. */
  readonly folded?: boolean;
  /** A node of non-maximum suppression. */
  readonly suppressed?: boolean;
  /** Nodes changed or left out (null), by name. */
  readonly changed?: Readonly<Record<string, Partial<TfjsNodeSpec> | null>>;
}

/** Corners of the anchors. */
export const anchorCorners = (): number[] => {
  const centres = randomValues(2 * anchorCount, 11, 0.1, 0.9);
  const sizes = randomValues(2 * anchorCount, 12, 0.1, 0.5);
  return Array.from({ length: anchorCount }, (_, i) => {
    const [y, x, h, w] = [centres[2 * i]!, centres[2 * i + 1]!, sizes[2 * i]!, sizes[2 * i + 1]!];
    return [y - h / 2, x - w / 2, y + h / 2, x + w / 2];
  }).flat();
};

export function cocoSsd({ fed = false, folded = false, suppressed = false, changed = {} }: CocoSsdOptions = {}) {
  const nodes: TfjsNodeSpec[] = [];
  const weights: Record<string, TfjsWeightSpec> = {};
  const node = (name: string, op: string, input: readonly string[], attr: TfjsNodeSpec['attr'] = {}) => {
    nodes.push({ name, op, input, attr });
    return name;
  };
  const constant = (name: string, shape: readonly number[], values: ArrayLike<number>, whole = false) => {
    weights[name] = { shape, values, ...(whole ? { dtype: 'int32' as const } : {}) };
    return name;
  };
  const ints = (name: string, ...values: number[]) => constant(name, [values.length], values, true);
  const scalar = (name: string, value: number) => constant(name, [], [value]);
  const float = { T: { type: 'DT_FLOAT' } };

  if (!fed) {
    const map = 'Preprocessor/map';
    node('ToFloat', 'Cast', ['image_tensor'], { DstT: { type: 'DT_FLOAT' } });
    node(`${map}/TensorArray`, 'TensorArrayV3', [ints(`${map}/strided_slice`, 1)]);
    node(`${map}/while/Enter`, 'Enter', [ints(`${map}/Const`, 0)]);
    node(`${map}/while/Merge`, 'Merge', [`${map}/while/Enter`, `${map}/while/NextIteration`]);
    node(`${map}/while/LoopCond`, 'LoopCond', [`${map}/while/Merge`]);
    node(`${map}/while/Switch`, 'Switch', [`${map}/while/Merge`, `${map}/while/LoopCond`]);
    node(`${map}/while/ResizeImage/ResizeBilinear`, 'ResizeBilinear', [
      'ToFloat',
      ints(`${map}/while/ResizeImage/stack`, size, size),
    ]);
    node(`${map}/while/NextIteration`, 'NextIteration', [`${map}/while/Switch:1`]);
    node(resized, 'TensorArrayGatherV3', [`${map}/TensorArray`, `${map}/while/Switch`]);
  }
  node('Preprocessor/mul', 'Mul', [resized, scalar('Preprocessor/mul/x', 2 / 255)], float);
  node('Preprocessor/sub', 'Sub', ['Preprocessor/mul', scalar('Preprocessor/sub/y', 1)], float);

  let seed = 1;
  const conv = (name: string, from: string, kernel: number, inputs: number, outputs: number, stride: number) => {
    const spread = Math.sqrt(3 / (kernel * kernel * inputs));
    const values = randomValues(kernel * kernel * inputs * outputs, seed++, -spread, spread);
    node(`${name}/Conv2D`, 'Conv2D', [from, constant(`${name}/weights`, [kernel, kernel, inputs, outputs], values)], {
      strides: { ints: [1, stride, stride, 1] },
      dilations: { ints: [1, 1, 1, 1] },
      padding: { s: 'SAME' },
      data_format: { s: 'NHWC' },
      ...float,
    });
    const bias = constant(`${name}/biases`, [outputs], randomValues(outputs, seed++));
    return node(`${name}/BiasAdd`, 'BiasAdd', [`${name}/Conv2D`, bias], { data_format: { s: 'NHWC' }, ...float });
  };
  const features = 'FeatureExtractor/MobilenetV2';
  const first = node(`${features}/layer_15/expansion_output/Relu6`, 'Relu6', [
    conv(`${features}/layer_15/expansion_output`, 'Preprocessor/sub', 9, 3, 10, 8),
  ]);
  const second = node(`${features}/layer_19_2_Conv2d_2_3x3_s2_512/Relu6`, 'Relu6', [
    conv(`${features}/layer_19_2_Conv2d_2_3x3_s2_512`, first, 3, 10, 12, 2),
  ]);
  for (const [i, [from, channels]] of (
    [
      [first, 10],
      [second, 12],
    ] as const
  ).entries()) {
    const box = `BoxPredictor_${i}`;
    conv(`${box}/BoxEncodingPredictor`, from, 1, channels, 2 * 4, 1);
    conv(`${box}/ClassPredictor`, from, 1, channels, 2 * (classes + 1), 1);
    node(`${box}/Shape`, 'Shape', [from]);
    const begin = ints(`${box}/strided_slice/stack`, 0);
    const end = ints(`${box}/strided_slice/stack_1`, 1);
    const step = ints(`${box}/strided_slice/stack_2`, 1);
    node(`${box}/strided_slice`, 'StridedSlice', [`${box}/Shape`, begin, end, step], { shrink_axis_mask: { i: 1 } });
    const pack = (name: string, ...more: readonly number[]) => {
      const rest = more.map((value, k) => constant(`${name}/${k}`, [], [value], true));
      return node(name, 'Pack', [`${box}/strided_slice`, ...rest], { N: { i: 1 + rest.length }, axis: { i: 0 } });
    };
    node(`${box}/Reshape`, 'Reshape', [`${box}/BoxEncodingPredictor/BiasAdd`, pack(`${box}/stack`, -1, 1, 4)], float);
    node(
      `${box}/Reshape_1`,
      'Reshape',
      [`${box}/ClassPredictor/BiasAdd`, pack(`${box}/stack_1`, -1, classes + 1)],
      float,
    );
  }
  const axis = constant('concat/axis', [], [1], true);
  node('concat', 'ConcatV2', ['BoxPredictor_0/Reshape', 'BoxPredictor_1/Reshape', axis], { N: { i: 2 }, ...float });
  node('Squeeze', 'Squeeze', ['concat'], { squeeze_dims: { ints: [2] }, ...float });
  node('concat_1', 'ConcatV2', ['BoxPredictor_0/Reshape_1', 'BoxPredictor_1/Reshape_1', axis], {
    N: { i: 2 },
    ...float,
  });

  const post = 'Postprocessor';
  const sizes = `${post}/Decode/get_center_coordinates_and_sizes`;
  const decode = (name: string) => `${post}/Decode/${name}`;
  const perm = ints(`${post}/perm`, 1, 0);
  const four = ints(`${post}/Reshape/shape`, -1, 4);
  const two = scalar(`${post}/two`, 2);
  const unpack = (name: string, from: string) =>
    node(name, 'Unpack', [from], { num: { i: 4 }, axis: { i: 0 }, ...float });
  const binary = (name: string, op: string, a: string, b: string) => node(name, op, [a, b], float);
  if (folded) {
    const corners = anchorCorners();
    const part = (name: string, of: (top: number, left: number, bottom: number, right: number) => number) => {
      const values = Array.from({ length: anchorCount }, (_, i) =>
        of(corners[4 * i]!, corners[4 * i + 1]!, corners[4 * i + 2]!, corners[4 * i + 3]!),
      );
      constant(`${sizes}/${name}`, [anchorCount], values);
    };
    part('sub', (_top, left, _bottom, right) => right - left);
    part('sub_1', (top, _left, bottom) => bottom - top);
    part('add', (top, _left, bottom) => top + (bottom - top) / 2);
    part('add_1', (_top, left, _bottom, right) => left + (right - left) / 2);
  } else {
    const generated = 'MultipleGridAnchorGenerator/Concatenate/concat';
    constant(generated, [anchorCount, 4], anchorCorners());
    node(`${post}/ExpandDims`, 'ExpandDims', [generated, constant(`${post}/ExpandDims/dim`, [], [0], true)], float);
    node(`${post}/Tile`, 'Tile', [`${post}/ExpandDims`, ints(`${post}/Tile/multiples`, 1, 1, 1)], float);
    node(`${post}/Reshape`, 'Reshape', [`${post}/Tile`, four], float);
    node(`${sizes}/transpose`, 'Transpose', [`${post}/Reshape`, perm], float);
    unpack(`${sizes}/unstack`, `${sizes}/transpose`);
    binary(`${sizes}/sub`, 'Sub', `${sizes}/unstack:3`, `${sizes}/unstack:1`);
    binary(`${sizes}/sub_1`, 'Sub', `${sizes}/unstack:2`, `${sizes}/unstack`);
    binary(`${sizes}/div`, 'RealDiv', `${sizes}/sub_1`, two);
    binary(`${sizes}/add`, 'AddV2', `${sizes}/unstack`, `${sizes}/div`);
    binary(`${sizes}/div_1`, 'RealDiv', `${sizes}/sub`, two);
    binary(`${sizes}/add_1`, 'AddV2', `${sizes}/unstack:1`, `${sizes}/div_1`);
  }
  node(`${post}/Reshape_1`, 'Reshape', ['Squeeze', four], float);
  node(decode('transpose'), 'Transpose', [`${post}/Reshape_1`, perm], float);
  unpack(decode('unstack'), decode('transpose'));
  for (const [k, by] of [10, 10, 5, 5].entries()) {
    const name = decode(k === 0 ? 'div' : `div_${k}`);
    const part = `${decode('unstack')}${k === 0 ? '' : `:${k}`}`;
    if (folded) binary(name, 'Mul', part, scalar(`${name}/y`, 1 / by));
    else binary(name, 'RealDiv', part, scalar(`${name}/y`, by));
  }
  node(decode('Exp'), 'Exp', [decode('div_3')], float);
  node(decode('Exp_1'), 'Exp', [decode('div_2')], float);
  binary(decode('mul'), 'Mul', decode('Exp'), `${sizes}/sub`);
  binary(decode('mul_1'), 'Mul', decode('Exp_1'), `${sizes}/sub_1`);
  binary(decode('mul_2'), 'Mul', decode('div'), `${sizes}/sub_1`);
  binary(decode('add'), 'AddV2', decode('mul_2'), `${sizes}/add`);
  binary(decode('mul_3'), 'Mul', decode('div_1'), `${sizes}/sub`);
  binary(decode('add_1'), 'AddV2', decode('mul_3'), `${sizes}/add_1`);
  for (const [k, from] of ['mul_1', 'mul', 'mul_1', 'mul'].entries())
    binary(decode(`div_${4 + k}`), 'RealDiv', decode(from), two);
  binary(decode('sub'), 'Sub', decode('add'), decode('div_4'));
  binary(decode('sub_1'), 'Sub', decode('add_1'), decode('div_5'));
  binary(decode('add_2'), 'AddV2', decode('add'), decode('div_6'));
  binary(decode('add_3'), 'AddV2', decode('add_1'), decode('div_7'));
  const sides = ['sub', 'sub_1', 'add_2', 'add_3'].map(decode);
  node(decode('stack'), 'Pack', sides, { N: { i: 4 }, axis: { i: 0 }, ...float });
  node(decode('transpose_1'), 'Transpose', [decode('stack'), perm], float);
  node(`${post}/Reshape_2`, 'Reshape', [decode('transpose_1'), ints(`${post}/stack`, 1, anchorCount, 4)], float);
  const expanded = constant(`${post}/ExpandDims_1/dim`, [], [2], true);
  node(`${post}/ExpandDims_1`, 'ExpandDims', [`${post}/Reshape_2`, expanded], float);
  node(`${post}/convert_scores`, 'Sigmoid', ['concat_1'], float);
  const [begin, length] = [ints(`${post}/Slice/begin`, 0, 0, 1), ints(`${post}/Slice/size`, -1, -1, -1)];
  node(`${post}/Slice`, 'Slice', [`${post}/convert_scores`, begin, length], float);
  if (suppressed) {
    const batch = `${post}/BatchMultiClassNonMaxSuppression/MultiClassNonMaxSuppression`;
    const most = constant(`${batch}/max_output_size`, [], [7], true);
    node(`${batch}/non_max_suppression/NonMaxSuppressionV5`, 'NonMaxSuppressionV5', [
      `${post}/Reshape_2`,
      `${post}/Slice`,
      most,
      scalar(`${batch}/iou_threshold`, 0.5),
      scalar(`${batch}/score_threshold`, 0.25),
      scalar(`${batch}/soft_nms_sigma`, 0),
    ]);
  }
  const shape = fed ? [1, size, size, 3] : [1, -1, -1, 3];
  const inputs: TfjsSpec['inputs'] = fed ? { [resized]: { shape } } : { image_tensor: { shape, dtype: 'DT_UINT8' } };
  const written = nodes.flatMap((one) => (changed[one.name] === null ? [] : [{ ...one, ...changed[one.name] }]));
  const signature = { outputs: Object.fromEntries(decodedOutputs.map((name) => [name, { name: `${name}:0` }])) };
  return writeTfjs({ inputs, nodes: written, weights, signature });
}
