/**
 * Whether all are finite: their sum is, as float64 has room for it. In four sums, of sixteen values a turn, so that few additions
 * wait for others.
 */
export function allFinite(values: Float32Array): boolean {
  const end = values.length - 15;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i < end; i += 16) {
    a += values[i]! + values[i + 1]! + (values[i + 2]! + values[i + 3]!);
    b += values[i + 4]! + values[i + 5]! + (values[i + 6]! + values[i + 7]!);
    c += values[i + 8]! + values[i + 9]! + (values[i + 10]! + values[i + 11]!);
    d += values[i + 12]! + values[i + 13]! + (values[i + 14]! + values[i + 15]!);
  }
  for (; i < values.length; i++) a += values[i]!;
  return Number.isFinite(a + b + c + d);
}
