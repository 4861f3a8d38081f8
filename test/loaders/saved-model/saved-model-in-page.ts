/** Saves a model in the browser, opens the file, and compares what both give. */
import { load, type Outputs, seededInputs } from '../../../src/index.ts';

const same = (a: Outputs, b: Outputs): boolean =>
  Object.entries(a).every(([name, values]) => values.every((value, i) => Object.is(value, b[name]![i])));

export async function saveAndOpen({ id }: { id: string }) {
  const model = await load(id, { device: 'webgpu', tuning: 'off' });
  const inputs = seededInputs(model.graph);
  const outputs = await model.run(inputs);
  const bytes = await model.save();
  model.dispose();
  const opened = await load(bytes, { device: 'webgpu', tuning: 'off' });
  const again = await opened.run(inputs);
  const fused = await load(bytes, { device: 'webgpu', tuning: 'off', plan: 'fused' });
  const { ok } = await fused.validate(inputs);
  opened.dispose();
  fused.dispose();
  return {
    same: same(outputs, again),
    outputs: Object.keys(again),
    nodes: opened.prepared === opened.graph,
    fusedIsRight: ok,
  };
}

/** A saved model given whole, as a file, from an address, and from one that holds its last bytes back. */
export async function saveAndStream({ id }: { id: string }) {
  const options = { device: 'webgpu', tuning: 'off' } as const;
  const source = await load(id, { device: 'reference' });
  const inputs = seededInputs(source.graph);
  const bytes = await source.save();
  const run = async (from: Parameters<typeof load>[0], more: Parameters<typeof load>[1] = {}) => {
    const model = await load(from, { ...options, ...more });
    const outputs = await model.run(inputs);
    model.dispose();
    return outputs;
  };
  const whole = await run(bytes);
  const file = new Blob([bytes]);
  const asFile = same(whole, await run(file));
  const address = URL.createObjectURL(file);
  let fetched = { done: 0, total: 0 };
  const fromAddress = same(
    whole,
    await run(address, {
      onProgress: ({ stage, done, total }) => {
        if (stage === 'fetch') fetched = { done, total };
      },
    }),
  );
  URL.revokeObjectURL(address);

  let release = () => {};
  const compiled = new Promise<void>((resolve) => {
    release = resolve;
  });
  let pulls = 0;
  let compiledBeforeTheEnd = false;
  let ended = false;
  const fetchOfBrowser = globalThis.fetch;
  const last = Math.floor(bytes.length / 2);
  globalThis.fetch = async () =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          pulls++;
          if (pulls === 1) controller.enqueue(bytes.slice(0, last));
          else {
            await compiled;
            controller.enqueue(bytes.slice(last));
            controller.close();
            ended = true;
          }
        },
      }),
    );
  try {
    const heldBack = await run('http://localhost/model', {
      onProgress: ({ stage, done, total }) => {
        if (stage !== 'compile' || done < total) return;
        compiledBeforeTheEnd = !ended;
        release();
      },
    });
    return {
      asFile,
      fromAddress,
      heldBack: same(whole, heldBack),
      compiledBeforeTheEnd,
      allFetched: fetched.done === bytes.length && fetched.total === bytes.length,
    };
  } finally {
    globalThis.fetch = fetchOfBrowser;
  }
}
