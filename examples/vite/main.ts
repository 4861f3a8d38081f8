import { load, MobileNetError, type Model } from 'mobilenet-webgpu';

const input = document.querySelector('input')!;
const output = document.querySelector('output')!;
const progress = document.querySelector('progress')!;

async function open(): Promise<Model> {
  const model = await load('imagenet/v1-0.25', {
    onProgress: ({ stage, done, total }) => {
      // A server may not say how long a file is.
      if (stage === 'fetch' && total > 0) progress.value = done / total;
    },
  });
  output.value = `on ${model.device}${model.deviceReason ? `: ${model.deviceReason}` : ''}`;
  return model;
}

const model = open();

input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  try {
    const best = await (await model).classify(file, { top: 3, minScore: 0.05 });
    output.value =
      best.map(({ label, score }) => `${label} ${(100 * score).toFixed(1)} %`).join(', ') || 'nothing known';
  } catch (error) {
    // Its own errors say what to do; `code` is for programs.
    output.value = error instanceof MobileNetError ? error.message : String(error);
  }
});
