// dst = src where it is at least 0, else src · slope, a slope for each channel (PReLU; one for all: leaky ReLU).
//
// src, dst  [batch][pixels][channels4]      NHWC, four channels a vec4
// slope     [channels4]
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32 }

#include elementwise DST_BINDING=3
@group(0) @binding(2) var<storage, read> slope: array<vec4f>;

fn output(at: u32, id: vec3u) -> vec4f {
  let x = load_src(src[at]);
  return select(x * slope[id.x], x, x >= vec4f());
}
