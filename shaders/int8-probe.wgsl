// What a device makes of sums, floats and bytes, for a probe (src/scheduler/integer-probe.ts).
//
// pairs  [count]     (a sum, the bits of a multiplier), or with DOT4 two words
// dst    [count]     the bits of float32(sum) · multiplier, or the packed dot product
struct Shape { count: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> pairs: array<vec2i>;
@group(0) @binding(2) var<storage, read_write> dst: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.count) { return; }
  let pair = pairs[id.x];
#if DOT4
  dst[id.x] = dot4I8Packed(bitcast<u32>(pair.x), bitcast<u32>(pair.y));
#else
  dst[id.x] = bitcast<i32>(f32(pair.x) * bitcast<f32>(pair.y));
#endif
}
