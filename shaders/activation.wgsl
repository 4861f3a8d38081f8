// An activation on its own: dst = activate(src), relu, relu6, hard-swish, hard-sigmoid or sigmoid.
//
// src, dst  [batch][pixels][channels4]      NHWC, four channels a vec4
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32 }

#include elementwise DST_BINDING=2

fn output(at: u32, id: vec3u) -> vec4f {
  return activate(load_src(src[at]));
}
