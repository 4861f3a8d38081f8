/** Pictures and addresses that fail in a real page, and how. */
import { clearCache, isCached, load, type Model, type PictureSource } from '../../src/index.ts';
import { tensorOfPicture } from './pictures-in-page.ts';

async function told(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'nothing failed';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

interface Files {
  /** Of a server of another origin, which lets nobody read it but lets it be shown. */
  readonly foreign: string;
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** Of 200 megapixels. */
  readonly large: Uint8Array<ArrayBuffer>;
}

const loaded = (source: string, crossOrigin: string | null = null): Promise<HTMLImageElement> =>
  new Promise((resolve, reject) => {
    const image = Object.assign(new Image(), { crossOrigin, onload: () => resolve(image), onerror: reject });
    image.src = source;
  });

async function badPictures({ foreign, jpeg, large }: Files): Promise<Record<string, PictureSource>> {
  const tainted = Object.assign(document.createElement('canvas'), { width: 4, height: 4 });
  tainted.getContext('2d')!.drawImage(await loaded(foreign), 0, 0);
  const detached = new OffscreenCanvas(4, 4);
  new MessageChannel().port1.postMessage(detached, [detached]);
  const closed = await createImageBitmap(new ImageData(4, 4));
  closed.close();
  const broken = new Image();
  broken.src = URL.createObjectURL(new Blob(['no picture'], { type: 'image/png' }));
  return {
    tainted,
    detached,
    closed,
    broken,
    empty: Object.assign(document.createElement('canvas'), { width: 0, height: 0 }),
    'cut JPEG': new File([jpeg.subarray(0, 100)], 'cut.jpg', { type: 'image/jpeg' }),
    '200 megapixels': new File([large], 'large.png', { type: 'image/png' }),
    'video without data': document.createElement('video'),
    'no picture': document.createElement('div') as unknown as PictureSource,
    'bytes too short': { width: 2, height: 2, data: new Uint8Array(15) },
  };
}

/** What each kind of failure says, on the GPU and on the CPU; and whether anything was rejected with nobody to hear. */
export async function pictureFailures(files: Files) {
  const unheard: string[] = [];
  const hear = (event: PromiseRejectionEvent) => unheard.push(String(event.reason));
  addEventListener('unhandledrejection', hear);
  const failures: Record<string, readonly [gpu: string, cpu: string]> = {};
  const models = [
    await load(tensorOfPicture, { device: 'webgpu' }),
    await load(tensorOfPicture, { device: 'reference' }),
  ];
  const see = (model: Model, picture: PictureSource) => told(() => model.runPicture(picture, { image: 'keras' }));
  for (const [kind, picture] of Object.entries(await badPictures(files))) {
    failures[kind] = [await see(models[0]!, picture), await see(models[1]!, picture)];
  }
  const good = new ImageData(4, 4);
  const classifier = await load('v1-0.25-32', { device: 'webgpu', tuning: 'off' });
  const calls = {
    'no rule': () => classifier.classify(good),
    'top: 0': () => classifier.classify(good, { image: 'keras', top: 0 }),
    region: () => classifier.classify(good, { image: 'keras', region: [10, 10, 5, 5] }),
    'in an array': () => classifier.classify([good, document.createElement('video'), good], { image: 'keras' }),
  };
  const others: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls)) others[name] = await told(call);
  // Under way when the model is disposed of: bytes, a bitmap that is made meanwhile, an array.
  const canvas = new OffscreenCanvas(40, 40);
  canvas.getContext('2d')!.fillRect(0, 0, 9, 9);
  const underWay = [good, canvas, [good, canvas, good]].map((picture) =>
    told(() => classifier.classify(picture as PictureSource, { image: 'keras' })),
  );
  classifier.dispose();
  others['dispose during classify'] = [...new Set(await Promise.all(underWay))].join('; ');
  for (const model of models) model.dispose();
  await new Promise((resolve) => setTimeout(resolve, 100));
  removeEventListener('unhandledrejection', hear);
  return { failures, others, unheard };
}

/** A file by the Cache Storage of a real browser: kept, found, found damaged, removed. */
export async function keptFile({ address, sha256 }: { address: string; sha256: string }) {
  const only = { device: 'reference', cache: 'only', integrity: sha256 } as const;
  await clearCache();
  const before = [await isCached(address), await told(() => load(address, only))];
  const first = await load(address, { device: 'reference', integrity: sha256 });
  const kept = await isCached(address);
  const again = await load(address, only);
  const same = first.graph.nodes.length === again.graph.nodes.length;
  const store = await caches.open('mobilenet-webgpu');
  await store.put(address, new Response('damaged'));
  const damaged = await told(() => load(address, only));
  const gone = !(await isCached(address));
  await load(address, { device: 'reference', cache: 'storage' });
  await clearCache(address);
  return { before, kept, same, damaged, gone, removed: !(await isCached(address)) };
}
