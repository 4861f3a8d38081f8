/** How pixels become the input of a TensorFlow Lite file, as the file itself tells. */
import { ModelFormatError } from '../../errors.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { coloursOf, plainImage } from '../../graph/image-rule.ts';
import { FlatTable } from '../tflite/flat-table.ts';
import type { TfliteTensor } from '../tflite/tensors.ts';

const mostTables = 50_000;
/** Of a picture. */
const mostChannels = 16;

const squashed =
  'the whole picture is squashed to the input: the file says how pixels are scaled, not how they are fitted';

/** `imageRuleOf`, and what is assumed with it. */
export function imageOf(...of: Parameters<typeof imageRuleOf>): Pick<Graph, 'image' | 'assumptions'> | null {
  const image = imageRuleOf(...of);
  return image && { image, assumptions: [squashed] };
}

/**
 * `dims` of the tensor are NHWC. From the metadata's normalisation, (pixel − mean) / std, or from the quantisation of a uint8 input, whose stored values
 * are pixels; null where neither is there. Throws `ModelFormatError`.
 */
function imageRuleOf(
  file: string,
  model: FlatTable,
  buffers: readonly FlatTable[],
  { dims, type, quantisation }: TfliteTensor,
): ImageRule | null {
  const channels = dims[3];
  if (dims.length !== 4 || (channels !== 1 && channels !== 3)) return null;
  const rule = { ...plainImage, channels: coloursOf(channels) };
  if (type === 'UINT8' && !quantisation) return rule;
  if (type === 'UINT8' && quantisation?.scales.length === 1) {
    const [scale] = quantisation.scales as [number];
    return { ...rule, scale: [scale], offset: [-(quantisation.zeroPoints[0] ?? 0) * scale] };
  }
  const normalisation = normalisationOf(file, model, buffers, channels);
  if (!normalisation) return null;
  const { mean, deviation } = normalisation;
  return { ...rule, scale: deviation.map((d) => 1 / d), offset: deviation.map((d, i) => -mean[i]! / d) };
}

/** NormalizationOptions of the first input in the file's metadata (TensorFlow Lite's metadata_schema.fbs). */
function normalisationOf(
  file: string,
  model: FlatTable,
  buffers: readonly FlatTable[],
  channels: number,
): { mean: number[]; deviation: number[] } | null {
  const entry = model
    .tables(6, mostTables, 'pieces of metadata')
    .find((table) => table.string(0) === 'TFLITE_METADATA');
  const buffer = entry && buffers[entry.int(1)];
  if (!buffer) return null;
  const source = `${file} (metadata)`;
  const metadata = FlatTable.root(source, buffer.bytes(0));
  const [subgraph] = metadata.tables(3, mostTables, 'subgraphs');
  const [input] = subgraph?.tables(2, mostTables, 'inputs') ?? [];
  for (const unit of input?.tables(4, mostTables, 'process units') ?? []) {
    const options = unit.byte(0) === 1 ? unit.table(1) : null;
    const mean = options?.floats(0, mostChannels, 'means') ?? [];
    const deviation = options?.floats(1, mostChannels, 'deviations') ?? [];
    if (mean.length !== deviation.length || ![1, channels].includes(mean.length)) continue;
    if (!mean.every(Number.isFinite) || !deviation.every((d) => d > 0 && Number.isFinite(1 / d))) {
      throw new ModelFormatError(
        source,
        `normalises by the mean [${mean}] and the deviation [${deviation}], expected finite numbers and above 0`,
      );
    }
    return { mean, deviation };
  }
  return null;
}
