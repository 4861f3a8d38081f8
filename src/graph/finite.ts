/** Whether all are finite: their sum is, as float64 has room for it. By fours, so that no addition waits for all before it. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  let i = 0;
  for (; i + 3 < values.length; i += 4) sum += values[i]! + values[i + 1]! + values[i + 2]! + values[i + 3]!;
  for (; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum);
}
