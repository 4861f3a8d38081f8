// A scale and a shift for each channel: dst = src · scale + shift (a batch-norm that no convolution could take in).
//
// src, dst      [batch][pixels][channels4]      NHWC, four channels a vec4
// scale, shift  [channels4]
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32 }

#include elementwise DST_BINDING=4
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;

fn output(at: u32, id: vec3u) -> vec4f {
  return fma(load_src(src[at]), scale[id.x], shift[id.x]);
}
