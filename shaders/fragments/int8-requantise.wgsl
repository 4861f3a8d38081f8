// What becomes of sums: stored = round(clamp(float32(float32(sum) · multiplier), least, most)) + zero point, to nearest, ties to even.
//
// Expects  shape.least and shape.most, less the zero point, and shape.zero_point
// Gives    requantise(sum, multiplier)
// EXACT: a probe has found that the device converts and multiplies to nearest (src/scheduler/integer-probe.ts). Elsewhere the same is
// computed from the bits.
#if EXACT
fn requantise(sum: vec4i, multiplier: vec4f) -> vec4i {
  let scaled = clamp(vec4f(sum) * multiplier, vec4f(f32(shape.least)), vec4f(f32(shape.most)));
  return vec4i(round(scaled)) + shape.zero_point;
}
#else
// A number of which `rest` is cut off, the highest bit worth a half.
fn nearest_even(whole: u32, rest: u32) -> u32 {
  return whole + select(0u, 1u, rest > 0x80000000u || (rest == 0x80000000u && (whole & 1u) == 1u));
}

fn scaled(sum: i32, multiplier: f32) -> i32 {
  let magnitude = bitcast<u32>(abs(sum));
  let bits = bitcast<u32>(multiplier);
  // To the 24 bits of a float.
  let excess = 8u - min(countLeadingZeros(magnitude), 8u);
  let a = nearest_even(magnitude >> excess, (magnitude << (31u - excess)) << 1u);
  let m = (bits & 0x7fffffu) | 0x800000u;
  // Their product of 48 bits, high · 2^24 + low, by halves of 12.
  let mid = (a >> 12u) * (m & 0xfffu) + (a & 0xfffu) * (m >> 12u);
  let sum_low = (a & 0xfffu) * (m & 0xfffu) + ((mid & 0xfffu) << 12u);
  let high = (a >> 12u) * (m >> 12u) + (mid >> 12u) + (sum_low >> 24u);
  let low = sum_low & 0xffffffu;
  let width = 32u - countLeadingZeros(high);
  let product = nearest_even((high << (24u - width)) | (low >> width), (low << (31u - width)) << 1u);
  // |sum · multiplier| = product / 2^places.
  let places = 150 - i32(bits >> 23u) - i32(excess + width);
  let right = u32(clamp(places, 14, 26));
  let whole = nearest_even(product >> right, product << (32u - right));
  // At least 2^23 / 2^13, beyond every range.
  let limited = i32(select(whole, 1024u, places < 14 && product > 0u));
  return select(limited, -limited, sum < 0);
}

fn requantise(sum: vec4i, multiplier: vec4f) -> vec4i {
  let each = vec4i(
    scaled(sum.x, multiplier.x), scaled(sum.y, multiplier.y), scaled(sum.z, multiplier.z), scaled(sum.w, multiplier.w));
  return clamp(each, vec4i(shape.least), vec4i(shape.most)) + shape.zero_point;
}
#endif
