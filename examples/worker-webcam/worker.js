import { load } from 'mobilenet-webgpu';
import { imagenetLabels } from 'mobilenet-webgpu/labels';

let model;

addEventListener('message', async ({ data: { source, frame } }) => {
  try {
    if (source) {
      model = await load(source, { labels: ['background', ...imagenetLabels] });
      postMessage({ ready: true });
    }
    if (frame) {
      const start = performance.now();
      const [best] = await model.classify(frame, { top: 1, image: 'keras' });
      frame.close();
      postMessage({ best, ms: performance.now() - start });
    }
  } catch (error) {
    postMessage({ error: error.message });
  }
});
