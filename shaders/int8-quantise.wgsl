// Real numbers become stored integers as they are stored, or (REAL_DST) stored integers become real numbers.
//
// src  [images][pixels][channels4]     vec4, or four channels to a word
// dst  likewise
struct Shape { pixels: u32, channels4: u32, scale: f32, zero_point: i32 }

#include elementwise DST_BINDING=2

fn output(at: u32, id: vec3u) -> vec4f {
#if REAL_DST
  return vec4f(integers_of(src[at]) - shape.zero_point) * shape.scale;
#else
  return load_src(src[at]);
#endif
}
