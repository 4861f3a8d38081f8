import { expect, it } from 'vitest';
import { box3dEdges, decodeBox3d } from '../../src/tasks/index.ts';

it('reads a centre and eight corners in fractions of the input', () => {
  const keypoints = Float32Array.from({ length: 18 }, (_, i) => 7 * i);
  const box = decodeBox3d(keypoints, Float32Array.of(0.75));
  expect(box.score).toBe(0.75);
  expect(box.centre).toEqual({ x: 0, y: 7 / 224 });
  expect(box.corners).toHaveLength(8);
  expect(box.corners[0]).toEqual({ x: 14 / 224, y: 21 / 224 });
  expect(decodeBox3d(keypoints, Float32Array.of(1), [112, 448]).corners[7]).toEqual({ x: 112 / 448, y: 119 / 112 });
});

it('has twelve edges, three at each corner', () => {
  expect(box3dEdges).toHaveLength(12);
  const ends = box3dEdges.flat();
  for (let corner = 0; corner < 8; corner++) expect(ends.filter((end) => end === corner)).toHaveLength(3);
  // Of the picture of objectron_cpu.pbtxt, whose numbers begin at 1.
  for (const edge of ['1-2', '3-7', '6-8', '5-7']) {
    expect(box3dEdges.map(([a, b]) => `${a + 1}-${b + 1}`)).toContain(edge);
  }
});

it('refuses other lengths', () => {
  expect(() => decodeBox3d(new Float32Array(16), new Float32Array(1))).toThrow(/have 16 and 1 values, expected 18/);
});
