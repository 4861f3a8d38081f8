import * as mobilenet from '../../src/compat/index.ts';
import { type Config, type Found, program } from './program.ts';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The program on this package, on canvases. */
export function onCanvas({ config, pictures }: { config: Config; pictures: readonly Pixels[] }): Promise<Found[]> {
  const load = (chosen: Config) => mobilenet.load(chosen, { device: 'webgpu', tuning: 'off' });
  return program<HTMLCanvasElement>({ load }, config, pictures.map(canvasOf));
}

function canvasOf({ width, height, data }: Pixels): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d')!.putImageData(new ImageData(Uint8ClampedArray.from(data), width, height), 0, 0);
  return canvas;
}

/** `infer` returns at once, and a canvas that is drawn on afterwards is seen as it was. */
export async function drawnOver({ config, picture }: { config: Config; picture: Pixels }): Promise<number[][]> {
  const network = await mobilenet.load(config, { device: 'webgpu', tuning: 'off' });
  const canvas = canvasOf(picture);
  const first = network.infer(canvas);
  canvas.getContext('2d')!.fillRect(0, 0, canvas.width, canvas.height);
  const after = network.infer(canvas);
  const answers = [[...(await first.data())], [...(await after.data())]];
  network.dispose();
  return answers;
}
