/** A photograph as a data: address. */
function painted(): string {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [96, 96];
  const context = canvas.getContext('2d')!;
  const gradient = context.createLinearGradient(0, 0, 96, 96);
  gradient.addColorStop(0, '#e08020');
  gradient.addColorStop(1, '#2040c0');
  context.fillStyle = gradient;
  context.fillRect(0, 0, 96, 96);
  return canvas.toDataURL();
}

/** In the browser: runs a block of a guide, among the elements that guides suppose. */
export async function runGuide({ module }: { module: string }): Promise<void> {
  const photo = Object.assign(new Image(), { id: 'photo', src: painted() });
  await photo.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [96, 96];
  const context = canvas.getContext('2d')!;
  const camera = Object.assign(document.createElement('video'), { id: 'camera', muted: true });
  camera.srcObject = canvas.captureStream(20);
  let hue = 0;
  const filming = setInterval(() => {
    context.fillStyle = `hsl(${hue++} 80% 50%)`;
    context.fillRect(0, 0, 96, 96);
  }, 30);
  document.body.append(photo, camera);
  try {
    await camera.play();
    await import(/* @vite-ignore */ module);
  } finally {
    clearInterval(filming);
    photo.remove();
    camera.remove();
  }
}
