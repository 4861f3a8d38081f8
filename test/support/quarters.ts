import type { Picture } from '../../src/images/image-to-tensor.ts';
import type { Quarters } from './oriented-jpeg.ts';

/** The colours in the middle of a picture's quarters: red, lime, blue or white, whichever a JPEG has left of them. */
export function quartersOf({ width, height, data }: Picture): Quarters {
  const names: Readonly<Record<string, string>> = { 100: 'red', '010': 'lime', '001': 'blue', 111: 'white' };
  const at = (x: number, y: number) => {
    const place = 4 * (Math.floor(y * height) * width + Math.floor(x * width));
    const bits = [...data.subarray(place, place + 3)].map((value) => (value > 127 ? 1 : 0)).join('');
    return names[bits] ?? bits;
  };
  return [at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)];
}
