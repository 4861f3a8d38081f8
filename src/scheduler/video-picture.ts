/** Frames of video, by the fastest way that the browser has for its GPU. */
import { openPicture } from '../images/open-picture.ts';
import type { GpuPicture, OpenPicture } from '../images/picture-source.ts';

type Video = HTMLVideoElement | VideoFrame;

/** In the order in which they are tried: read as it is; copied from the frame; made a bitmap first. */
const ways = ['external', 'copy', 'bitmap'] as const;
type Way = (typeof ways)[number];

/** The first that works on a device. */
const found = new WeakMap<GPUDevice, Promise<Way>>();

/** A frame of video as a picture: of an element, the one that it shows. Throws as `openPicture` does. */
export async function openVideo(device: GPUDevice, source: Video): Promise<OpenPicture> {
  const [width, height] =
    'videoWidth' in source ? [source.videoWidth, source.videoHeight] : [source.displayWidth, source.displayHeight];
  // What has no frame is told by `openPicture`.
  if (!width || ('readyState' in source && source.readyState < 2)) return openPicture(source);
  let way = found.get(device);
  if (!way) {
    way = firstThatWorks(device, source, [width, height]);
    found.set(device, way);
    way.catch(() => found.delete(device));
  }
  const chosen = await way;
  if (chosen === 'bitmap') return openPicture(source);
  const form: GpuPicture['form'] = chosen === 'external' ? 'external' : 'bytes';
  return { width, height, way: chosen, form, source, close() {} };
}

async function firstThatWorks(device: GPUDevice, source: Video, size: [number, number]): Promise<Way> {
  const layout = { entries: [{ binding: 0, visibility: 4 /* GPUShaderStage.COMPUTE */, externalTexture: {} }] };
  const external = await works(device, () => {
    const resource = device.importExternalTexture({ source });
    device.createBindGroup({ layout: device.createBindGroupLayout(layout), entries: [{ binding: 0, resource }] });
  });
  if (external) return 'external';
  const copied = await works(device, () => {
    // COPY_DST | TEXTURE_BINDING | RENDER_ATTACHMENT
    const texture = device.createTexture({ label: 'frame', size, format: 'rgba8unorm', usage: 0x16 });
    try {
      device.queue.copyExternalImageToTexture({ source }, { texture }, size);
    } finally {
      texture.destroy();
    }
  });
  return copied ? 'copy' : 'bitmap';
}

/** Whether the browser carries it out: one refuses by throwing, another by an error of the device. */
async function works(device: GPUDevice, attempt: () => void): Promise<boolean> {
  device.pushErrorScope('validation');
  let thrown = false;
  try {
    attempt();
  } catch {
    thrown = true;
  }
  return (await device.popErrorScope()) === null && !thrown;
}
