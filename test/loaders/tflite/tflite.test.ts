import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { MobileNetError, ModelFormatError } from '../../../src/errors.ts';
import { seededInputs } from '../../../src/graph/random-inputs.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { compareOutputs } from '../../../src/validate/compare.ts';
import { writeTflite } from '../../../src/writers/tflite.ts';

describe('TensorFlow Lite', () => {
  it.each(['v1-0.25-64', 'v2-0.35-64', 'v3-small-0.5-64', 'v4-conv-small-0.35-64'])(
    '%s, written and read, gives the same',
    async (id) => {
      const graph = runPasses(buildArchitecture(id, { classes: 10 }));
      const loaded = await loadGraph({ name: 'model.tflite', bytes: writeTflite(graph) });
      const inputs = seededInputs(graph);
      const [expected] = Object.values(runGraph(graph, inputs));
      const [found] = Object.values(runGraph(loaded, { [loaded.inputs[0]!.name]: inputs.input! }));
      expect(found!.data.length).toBe(expected!.data.length);
      expect(compareOutputs(found!.data, expected!.data).nmse).toBeLessThan(1e-12);
    },
  );

  it('cuts the network at a tensor', async () => {
    const bytes = writeTflite(runPasses(buildArchitecture('v1-0.25-32')));
    const whole = await loadGraph({ name: 'm', bytes });
    const middle = whole.nodes[4]!.output;
    const cut = await loadGraph({ name: 'm', bytes }, { outputs: [middle] });
    expect(cut.outputs).toEqual([{ name: middle, tensor: middle }]);
    expect(cut.nodes.length).toBeLessThan(whole.nodes.length);
    await expect(loadGraph({ name: 'm', bytes }, { outputs: ['nothing'] })).rejects.toThrow(/no tensor "nothing"/);
  });

  it('refuses a shape for an input that it does not have', async () => {
    const bytes = writeTflite(runPasses(buildArchitecture('v1-0.25-32', { classes: 3 })));
    const graph = loadGraph({ name: 'm', bytes }, { inputShapes: { x: [1, 64, 64, 3] } });
    await expect(graph).rejects.toThrow(/^m has no input "x" to give a shape; its inputs are: input$/);
  });

  it('refuses a file that is cut anywhere, in a typed error that names it', async () => {
    const bytes = writeTflite(runPasses(buildArchitecture('v1-0.25-32', { classes: 3 })));
    for (let length = 8; length < bytes.length; length = Math.ceil(length * 1.35)) {
      await expect(loadGraph({ name: 'cut.tflite', bytes: bytes.slice(0, length) }), `${length} bytes`).rejects.toThrow(
        /^cut\.tflite: /,
      );
    }
  });

  it('refuses damaged offsets and sizes, never with another error', async () => {
    const bytes = writeTflite(runPasses(buildArchitecture('v1-0.25-32', { classes: 3 })));
    let refused = 0;
    // The structure lies in the last bytes; weights, whose values may be anything, come first.
    for (let i = 0; i < 400; i++) {
      const at = i < 40 ? i : bytes.length - 1 - 7 * (i - 40);
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ (i % 2 ? 0xff : 0x80);
      try {
        runPasses(await loadGraph({ name: 'damaged.tflite', bytes: damaged }));
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(MobileNetError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(40);
  });

  it('names the version that it does not know', async () => {
    const bytes = new Uint8Array(64);
    bytes.set([20, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33]);
    await expect(loadGraph({ name: 'old.tflite', bytes })).rejects.toThrow(ModelFormatError);
  });
});
