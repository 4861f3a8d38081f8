/** A camera's frames through a model, in a page with a fake camera. */
import { load, type Model, seededInputs } from '../../src/index.ts';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function camera(): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  document.body.append(video);
  await video.play();
  return video;
}

/** Frames a second that the page is told of, and milliseconds from one to the next, while the model runs. */
async function frameRate(video: HTMLVideoElement, milliseconds: number): Promise<number> {
  let frames = 0;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const next = () => {
      frames++;
      if (performance.now() - start < milliseconds) video.requestVideoFrameCallback(next);
      else resolve();
    };
    video.requestVideoFrameCallback(next);
  });
  return (1000 * frames) / (performance.now() - start);
}

async function medianOfRun(model: Model, milliseconds: number): Promise<number> {
  const inputs = seededInputs(model.graph);
  await model.run(inputs);
  const times: number[] = [];
  for (const start = performance.now(); performance.now() - start < milliseconds; ) {
    const from = performance.now();
    await model.run(inputs);
    times.push(performance.now() - from);
  }
  return median(times);
}

/** What would bring pixels back to the CPU, or send them from there. */
function forbidReading(): void {
  const refuse = (name: string) => () => {
    throw new Error(`${name} was called`);
  };
  CanvasRenderingContext2D.prototype.getImageData = refuse('getImageData');
  OffscreenCanvasRenderingContext2D.prototype.getImageData = refuse('getImageData');
  VideoFrame.prototype.copyTo = refuse('VideoFrame.copyTo');
  GPUQueue.prototype.writeTexture = refuse('writeTexture');
}

/**
 * Results a second and the ages of them, beside what the page could do at best, by default (the adapters here are software) and
 * of frames as they are; in turns, as others use the machine too.
 */
export async function streamCamera({ id, rounds = 3, each = 1500 }: { id: string; rounds?: number; each?: number }) {
  const model = await load(id, { device: 'webgpu', tuning: 'off', tuningCache: null });
  const video = await camera();
  // To the kernels that this adapter would be given.
  await model.tune({ budgetMs: 2 * each });
  // The self-check of pictures, before the first of them, makes a network of its own and uploads its weights.
  await model.classify(video, { image: 'keras', top: 1 });
  forbidReading();
  const turns = [];
  let last: unknown;
  for (let round = 0; round < rounds; round++) {
    for (const resize of [undefined, 'rule'] as const) {
      const [run, fps] = await Promise.all([medianOfRun(model, each), frameRate(video, each)]);
      const ages: number[] = [];
      let dropped = 0;
      let increasing = true;
      let mediaTime = -1;
      // The first makes what such frames need.
      let start = 0;
      for await (const result of model.stream(video, { image: 'keras', top: 1, resize })) {
        if (start === 0) start = performance.now();
        else ages.push(result.age);
        increasing &&= result.mediaTime >= mediaTime;
        ({ mediaTime, dropped } = result);
        last = result.result;
        if (performance.now() - start > 2 * each) break;
      }
      const results = (1000 * ages.length) / (performance.now() - start);
      turns.push({ resize: resize ?? 'default', run, fps, results, age: median(ages), dropped, increasing });
    }
  }
  const { videoWidth, videoHeight } = video;
  for (const track of (video.srcObject as MediaStream).getTracks()) track.stop();
  model.dispose();
  return { turns, size: [videoWidth, videoHeight], last };
}
