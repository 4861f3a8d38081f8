/** Whether all are finite: their sum is, as float64 has room for it. In two sums, by eights, so that few additions wait for others. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  let other = 0;
  let i = 0;
  for (; i + 7 < values.length; i += 8) {
    sum += values[i]! + values[i + 1]! + (values[i + 2]! + values[i + 3]!);
    other += values[i + 4]! + values[i + 5]! + (values[i + 6]! + values[i + 7]!);
  }
  for (; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum + other);
}
