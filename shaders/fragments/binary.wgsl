// The entry point of a kernel of two tensors, of which the second is of equal shape or one pixel an image, broadcast over
// the others.
//
// Expects  struct Shape with pixels, channels4, b_image_stride and b_pixel_stride; combine(a, b)
// Gives    shape, src, b, dst
#include elementwise DST_BINDING=3
@group(0) @binding(2) var<storage, read> b: array<Other4>;

fn output(at: u32, id: vec3u) -> vec4f {
  let other = load_other(b[id.z * shape.b_image_stride + id.y * shape.b_pixel_stride + id.x]);
  return activate(combine(load_src(src[at]), other));
}
