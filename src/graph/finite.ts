/** Whether all are finite: their sum is, as float64 has room for it. In two sums, by fours, so that few additions wait for others. */
export function allFinite(values: Float32Array): boolean {
  const end = values.length - 7;
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i < end; i += 8) {
    a += values[i]! + values[i + 1]! + values[i + 2]! + values[i + 3]!;
    b += values[i + 4]! + values[i + 5]! + values[i + 6]! + values[i + 7]!;
  }
  for (; i < values.length; i++) a += values[i]!;
  return Number.isFinite(a + b);
}
