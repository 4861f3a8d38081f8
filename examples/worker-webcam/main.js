/** Frames go to a Worker one at a time: while it looks at one, the camera goes on, and the next that is sent is the newest. */
const video = document.querySelector('video');
const output = document.querySelector('output');
const source = new URLSearchParams(location.search).get('model') ?? 'imagenet/v1-0.25';

const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
worker.postMessage({ source: source.startsWith('/') ? new URL(source, location.href).href : source });

worker.addEventListener('message', ({ data }) => {
  if (data.error) output.value = data.error;
  if (data.best) output.value = `${data.best.label}, ${(100 * data.best.score).toFixed(1)} %, ${data.ms.toFixed(0)} ms`;
  if (!data.error) video.requestVideoFrameCallback(send);
});

async function send() {
  const frame = await createImageBitmap(video);
  worker.postMessage({ frame }, [frame]);
}

try {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  await video.play();
} catch (error) {
  output.value = `no camera: ${error.message}`;
}
