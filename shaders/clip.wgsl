// dst = min(max(src, low), high).
//
// src, dst  [batch][pixels][channels4]      NHWC, four channels a vec4
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32, low: f32, high: f32 }

#include elementwise DST_BINDING=2

fn output(at: u32, id: vec3u) -> vec4f {
  return min(max(load_src(src[at]), vec4f(shape.low)), vec4f(shape.high));
}
