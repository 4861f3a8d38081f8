// The largest |a - b| of two stored tensors, and whether an element of either is no finite number.
//
// a, b  words of 32 bits: a float each, or two halves, or four stored integers (IN_WORD); pixels of `pitch` elements, of which `channels` count
// dst   [workgroups] of the largest difference, and 1 where a number is not finite, else 0
//
// An invocation compares every `stride`-th word, a workgroup takes the largest of its own: whatever the order, the same.
struct Shape { words: u32, stride: u32, channels: u32, pitch: u32 }

override IN_WORD: u32 = 1u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec2f>;

var<workgroup> found: array<vec2f, 64>;

// By their bits, as a compiler may suppose that numbers are finite.
fn infinite(word: u32) -> bool { return (word & 0x7f800000u) == 0x7f800000u; }

fn compare(element: u32, x: f32, y: f32, bad: bool, so: vec2f) -> vec2f {
  if (element % shape.pitch >= shape.channels) { return so; }
  if (bad) { return vec2f(so.x, 1.0); }
  return vec2f(max(so.x, abs(x - y)), so.y);
}

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
) {
  var so = vec2f(0.0);
  for (var word = id.x; word < shape.words; word += shape.stride) {
    let x = a[word];
    let y = b[word];
    if (IN_WORD == 4u) {
      for (var i = 0u; i < 4u; i++) {
        let shift = 24u - 8u * i;
        so = compare(4u * word + i, f32(bitcast<i32>(x << shift) >> 24u), f32(bitcast<i32>(y << shift) >> 24u), false, so);
      }
    } else if (IN_WORD == 2u) {
      let p = unpack2x16float(x);
      let q = unpack2x16float(y);
      let low = (x & 0x7c00u) == 0x7c00u || (y & 0x7c00u) == 0x7c00u;
      let high = (x & 0x7c000000u) == 0x7c000000u || (y & 0x7c000000u) == 0x7c000000u;
      so = compare(2u * word, p.x, q.x, low, so);
      so = compare(2u * word + 1u, p.y, q.y, high, so);
    } else {
      so = compare(word, bitcast<f32>(x), bitcast<f32>(y), infinite(x) || infinite(y), so);
    }
  }
  found[lane] = so;
  for (var width = 32u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { found[lane] = max(found[lane], found[lane + width]); }
  }
  if (lane == 0u) { dst[workgroup.x] = found[0]; }
}
