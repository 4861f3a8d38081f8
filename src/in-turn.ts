import { MobileNetError } from './errors.ts';

/** Pictures of an array that are under way at once: more are not decoded before their turn. */
const AT_ONCE = 4;

/** What `look` makes of each, in the order of the array. The first that fails ends it, and is told by its place. */
export async function inTurn<P, T>(pictures: readonly P[], look: (picture: P) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const turns = async () => {
    while (next < pictures.length) {
      const at = next++;
      try {
        results[at] = await look(pictures[at]!);
      } catch (error) {
        next = pictures.length;
        if (!(error instanceof MobileNetError)) throw error;
        // A copy: others may be thrown the same one.
        const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error));
        copy.message = `picture ${at} of ${pictures.length}: ${error.message}`;
        throw copy;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turns));
  return results;
}
